"""Collecting what a Python program measures itself, as an ordinary run."""
