"""Thresholds against what was measured."""
