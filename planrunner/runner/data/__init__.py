"""Rows of data sources, written to files."""
