"""WebSockets and gRPC of a script."""
