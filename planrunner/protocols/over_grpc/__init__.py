"""What protocols that ride on gRPC have in common: codes, channels, failures."""
