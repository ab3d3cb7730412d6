"""Types of the values that a plan holds."""
