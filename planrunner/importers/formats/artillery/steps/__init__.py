"""The flows of an Artillery test: requests, pauses, loops, messages."""
