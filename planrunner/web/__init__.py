"""The live page: shows runs in a browser while they last, and starts them from a folder of plans.

A run and the page that shows it are two processes, so that viewers cost the load nothing. `feed` is
what they say to each other, `live` what the page's process knows of a run, `server` what browsers
get, and `folder` the plans, runs and history of `planrunner ui`. The scripts are in `static`.
"""
