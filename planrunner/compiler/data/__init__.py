"""Test data: sources, and the files that are written from them."""
