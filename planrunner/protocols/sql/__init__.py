"""SQL: statements that are prepared and bound, over SQLAlchemy's drivers."""
