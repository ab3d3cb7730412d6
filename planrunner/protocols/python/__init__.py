"""Calls of Python functions as requests: what a plan may write, and how they are called."""
