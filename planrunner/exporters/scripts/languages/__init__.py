"""How each language says what a plan computes."""
