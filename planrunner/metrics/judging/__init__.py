"""Judges thresholds by what was measured."""
