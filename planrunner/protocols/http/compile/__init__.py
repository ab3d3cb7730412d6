"""From what a plan says about a request to bytes, checks and extractors."""
