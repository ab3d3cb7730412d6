"""Steps of tasks and flows, compiled: one module for each family of steps."""
