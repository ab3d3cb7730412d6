"""A phase that ran once for each combination: the figures of each, and how time grows with size."""
