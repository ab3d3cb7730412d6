"""Tables of test data: files and lists as rows."""
