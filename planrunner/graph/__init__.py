"""The frozen form of a plan: what the compiler makes and the engine runs."""
