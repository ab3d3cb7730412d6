"""What a plan may say: pydantic models of its keys."""
