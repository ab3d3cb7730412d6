"""What a Python program sees of runs: results, their figures, tables, and comparisons."""
