"""The plans of a folder: what they say, the run that goes on, and the runs of the past."""
