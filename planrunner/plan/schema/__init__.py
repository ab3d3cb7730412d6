"""JSON Schema, snippets and the reference page, made from the models."""
