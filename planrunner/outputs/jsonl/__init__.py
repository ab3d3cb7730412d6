"""JSON Lines: one object for each second of a run, or for each sample."""
