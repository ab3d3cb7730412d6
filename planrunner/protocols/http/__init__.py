"""HTTP: request steps, what they compile to, and the clients that send them."""
