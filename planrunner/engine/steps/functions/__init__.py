"""Tasks that are Python functions: the user that they get, their requests, and their replies."""
