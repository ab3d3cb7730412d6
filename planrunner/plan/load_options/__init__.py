"""Options that run a plan under another load, written into the plan before it is checked."""
