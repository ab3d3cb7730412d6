"""Charts whose axis is the time of a run: they share a cursor, limits, windows and a choice."""
