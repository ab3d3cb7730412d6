"""HTTP clients: the only modules that do HTTP input and output."""
