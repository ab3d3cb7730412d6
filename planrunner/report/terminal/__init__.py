"""What a terminal shows: the live view, the summary, and the trace of `--once`."""
