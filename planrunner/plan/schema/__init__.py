"""JSON Schema, snippets, the reference page and the starter plan, made from the models."""
