"""Expressions of the plan language: parsed, surveyed and lowered to closures."""
