"""Access logs of nginx, Apache and of servers that write JSON lines."""
