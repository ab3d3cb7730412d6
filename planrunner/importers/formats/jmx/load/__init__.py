"""Thread groups and timers that say how much load there is, and when."""
