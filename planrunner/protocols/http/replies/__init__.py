"""What replies are read for: bodies, expectations, extractions."""
