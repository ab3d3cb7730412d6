"""What a run found: the result as a value, its file, the raw samples."""
