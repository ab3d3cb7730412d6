"""Thresholds with their names resolved: requests, tasks, phases and gauges of the plan."""
