"""`config` of an Artillery test: where, how much, with which data, and what must hold."""
