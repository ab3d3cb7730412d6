"""Runs a plan: environment, services, workers, clients, result and reports."""
