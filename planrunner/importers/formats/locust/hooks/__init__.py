"""Code that a plan has no words for, as functions of its hooks."""
