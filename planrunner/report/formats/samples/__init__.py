"""Files with a row for each sample, streamed from what a run has kept of them."""
