"""What values of a script are in a plan, and what operators and members make of them."""
