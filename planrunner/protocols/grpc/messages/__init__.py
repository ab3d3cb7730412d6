"""Messages of protobuf: from the values of a plan, checked where they stand, and back to data."""
