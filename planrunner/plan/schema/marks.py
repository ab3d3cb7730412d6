"""Marks in the schema for whoever reads plans beside it; files of the schema have none."""

from __future__ import annotations

from typing import Final

__all__ = ["EXPRESSION", "LOOP", "drop_marks"]

EXPRESSION: Final = "$expression"
"""Of a text that is an expression without `${…}`."""

LOOP: Final = "$loop"
"""Of a text such as `id in created`."""


def drop_marks(schema: object) -> None:
    """Remove all marks below a piece of the schema."""
    if isinstance(schema, dict):
        for mark in (EXPRESSION, LOOP):
            schema.pop(mark, None)
        schema = list(schema.values())
    if isinstance(schema, list):
        for inner in schema:
            drop_marks(inner)
