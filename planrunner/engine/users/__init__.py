"""Virtual users: their context, their iterations, their data."""
