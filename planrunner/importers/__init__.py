"""Tests of other tools → plans.

A format is one `Importer` record in its package in `formats/`; `importing.import_files` reads the
files with it into a `DraftPlan`, shapes the draft, writes it as text and checks that it validates.
Nothing of what is read is ever run, and nothing is fetched.
"""
