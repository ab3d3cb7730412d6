"""What is wrong with a plan, as editors show it, and what mends it."""
