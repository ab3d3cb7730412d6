"""The code of a script: its values, scopes, functions and modules."""
