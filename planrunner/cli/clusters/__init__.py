"""What the command line says of clusters."""
