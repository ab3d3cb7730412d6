"""What the functions of k6 become: requests, checks, pauses, metrics, data."""
