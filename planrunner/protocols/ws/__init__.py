"""WebSocket as a protocol (RFC 6455): connections that messages go over in both directions."""
