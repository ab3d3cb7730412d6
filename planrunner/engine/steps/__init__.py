"""Steps bound for one virtual user: one module for each family of steps."""
