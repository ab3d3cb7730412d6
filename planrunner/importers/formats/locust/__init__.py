"""Locust files: their classes, tasks and requests, read as Python without running it."""
