"""Other load tools: how each is started, and what reads its samples."""
