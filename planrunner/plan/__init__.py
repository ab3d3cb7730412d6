"""YAML text to a checked plan with positions."""
