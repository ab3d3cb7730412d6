"""Which names expressions may use, where each is known, and what refers to them."""
