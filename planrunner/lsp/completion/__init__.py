"""What can be written at a place: keys, values, names, words of expressions and thresholds."""
