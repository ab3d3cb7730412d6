"""What a worker writes down: samples, counters, failures, and its own health."""
