"""What sends statements: connections, pools and threads."""
