"""The process that schedules, merges and judges."""
