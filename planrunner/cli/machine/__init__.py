"""What this machine can generate: its limits, and a measurement against a null server."""
