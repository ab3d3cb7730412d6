"""The texts that an editor has open, and what can be read of them."""
