"""The names of plans: where each is defined and used, over imports."""
