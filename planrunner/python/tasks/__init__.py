"""Tasks that are `async def` functions: where they stand in a plan, and what they get."""
