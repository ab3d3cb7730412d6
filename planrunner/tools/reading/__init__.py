"""What readers of samples have in common: lines that arrive in pieces, names, failures."""
