"""What a key, a name, a threshold or an expression means."""
