"""Runs several plans one after the other, each once or several times."""
