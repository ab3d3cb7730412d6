"""Descriptions of OpenAPI 3 and Swagger 2: a task for each operation."""
