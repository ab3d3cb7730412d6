"""The options of a script: phases and thresholds."""
