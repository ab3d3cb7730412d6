"""What browsers get, and which of them get anything."""
