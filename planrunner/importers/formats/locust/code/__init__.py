"""Python code: its modules, names and expressions, in the words of a plan."""
