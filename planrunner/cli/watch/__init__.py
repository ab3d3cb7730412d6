"""`execute --watch`: a plan is tried again whenever it is saved."""
