"""A protocol for planrunner in a package of its own: a line is sent, and comes back."""
