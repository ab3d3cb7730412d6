"""Collections of Postman, with their environments and globals."""
