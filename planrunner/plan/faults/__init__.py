"""What is wrong with a plan, in words and with its place."""
