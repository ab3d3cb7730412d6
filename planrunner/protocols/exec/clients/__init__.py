"""The client that runs what `exec` steps compile to."""
