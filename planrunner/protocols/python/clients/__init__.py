"""The client that calls what `python` steps compile to."""
