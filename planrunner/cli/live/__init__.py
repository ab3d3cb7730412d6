"""The live page for commands: where it listens, what is printed, when it ends."""
