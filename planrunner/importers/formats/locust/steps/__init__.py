"""The statements of a task, in the steps of a plan."""
