"""From what a plan says about gRPC to what the client binds."""
