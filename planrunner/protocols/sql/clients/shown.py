"""Statements and their results as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.protocols.sql.reply import SqlReply, plain_value

__all__ = ["result_table", "sent_statement"]

_MOST_ROWS: Final = 10


def sent_statement(text: str, values: Mapping[str, object]) -> str:
    """Return a statement, and below it the values that went with it."""
    bound = "\n".join(f":{name} = {_cell(value)}" for name, value in values.items())
    return f"{text.strip()}\n\n{bound}" if bound else text.strip()


def result_table(reply: SqlReply) -> str:
    """Return the first rows as a table; nothing in it is cut, or half a secret might be left."""
    if not reply.columns:
        return ""
    rows = [map(_cell, row) for row in reply.rows[:_MOST_ROWS]]
    lines = [" | ".join(row) for row in (map(str, reply.columns), *rows)]
    left = len(reply.rows) - len(rows)
    return "\n".join((*lines, *([f"… {left:,} more"] if left > 0 else ())))


def _cell(value: object) -> str:
    value = plain_value(value)
    return "null" if value is None else str(value).replace("\n", " ")
