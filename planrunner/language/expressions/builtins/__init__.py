"""What expressions may call: helpers, filters, tests and draws."""
