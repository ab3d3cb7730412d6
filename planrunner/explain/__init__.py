"""A compiled plan in words, tables and graphs."""
