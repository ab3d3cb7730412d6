"""Plans as tests: which files are collected, and what the test of one does."""
