"""Which workers are there: when the run begins, while it lasts, and what is missing without one."""
