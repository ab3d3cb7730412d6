"""How users are started and kept: one module for each load model, over one contract."""
