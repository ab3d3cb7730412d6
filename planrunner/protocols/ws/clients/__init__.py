"""What speaks WebSocket: picows, which frames messages, and what a load test needs around it."""
