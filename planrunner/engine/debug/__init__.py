"""One user, step by step: `--once` and its trace."""
