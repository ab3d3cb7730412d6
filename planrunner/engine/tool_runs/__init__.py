"""Phases that other load tools run: their samples become series, as those of users do."""
