"""Aggregations: how what a run measured becomes one number; one record each."""
