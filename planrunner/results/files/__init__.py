"""A result on disk: its directory, metrics.json, raw samples."""
