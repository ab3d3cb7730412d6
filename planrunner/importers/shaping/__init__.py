"""Passes over a draft that make it a plan a person would keep, whatever format it came from."""
