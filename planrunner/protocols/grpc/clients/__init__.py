"""The client that sends what gRPC steps compile to."""
