"""Who receives a run: outputs while it lasts, notifications when it has ended."""
