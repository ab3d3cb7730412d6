"""Replies that are read piece by piece while they come, whatever client brings their bytes."""
