"""Params: declared in the plan, set by files, environments and options."""
