"""From name to name: where it is given, where it is used, and another one for it."""
