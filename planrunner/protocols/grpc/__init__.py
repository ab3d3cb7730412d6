"""gRPC: what a plan may write, how messages are made and checked, and how calls are sent."""
