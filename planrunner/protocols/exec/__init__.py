"""Commands as requests: what a plan may write about `exec`, and how it is run."""
