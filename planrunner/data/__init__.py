"""Rows of test data: file formats, a look through a file before the run, tables to draw from."""
