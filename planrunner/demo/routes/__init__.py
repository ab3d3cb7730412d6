"""The demo of a gRPC server: a guide to places along a route, after the field's usual example."""
