"""What every plan is written in: diagnostics, field types, expressions and texts."""
