"""Report formats: one module each, from a result to a file."""
