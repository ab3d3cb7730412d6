"""Processes that never outlive planrunner: each has another one that stops it, whatever happens."""
