"""YAML with positions: composed, checked for budgets, edited in place."""
