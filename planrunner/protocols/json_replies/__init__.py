"""Replies that are JSON, or can be read as it: what a plan expects of them and takes from them."""
