"""A level of load as a plan writes it: users, or iterations started per unit of time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import ExpressionError
from planrunner.language.fields.mapping import Fault, error
from planrunner.language.fields.reading import ReadBy
from planrunner.language.fields.text import Text, parse_text
from planrunner.late_pattern import late_pattern
from planrunner.units import Rate, UnitError, parse_rate

__all__ = ["LevelField", "LoadLevel", "misfits", "read_level", "read_level_text"]

LoadLevel = int | Rate | Text
"""Users, iterations per time, or a text with expressions that gives one of them."""


def read_level_text(source: str) -> Text:
    try:
        return parse_text(source)
    except ExpressionError as failed:
        fault = Fault(failed.code, failed.message, failed.hint)
        raise error(fault, offset=failed.offset or 0, length=1) from None


def read_level(data: object) -> LoadLevel:
    if isinstance(data, Rate):
        return data  # an option's, which no text gives exactly
    if isinstance(data, int) and not isinstance(data, bool) and data >= 0:
        return data
    if isinstance(data, str) and "${" in data:
        return read_level_text(data)
    if isinstance(data, str) and "/" in data:
        try:
            return parse_rate(data)
        except UnitError as failed:
            raise error(Fault(Code.INVALID_UNIT, failed.message, failed.hint)) from None
    raise error(
        Fault(
            Code.INVALID_VALUE,
            f"`{data}` is not a level",
            "write a number of users such as `100`, or a rate such as `20/s`",
        )
    )


LevelField = Annotated[
    LoadLevel,
    ReadBy(read_level, {"type": ["integer", "string"], "minimum": 0, "pattern": r"(/|\$\{)"}),
]

_LEVEL: Final = late_pattern(r"\+?\s*[0-9]")


def misfits(key: str, value: object, kind: object, beside: str) -> Iterator[Fault]:
    """Yield a fault when a level, as written, is of another kind than what stands beside it.

    Args:
        key: Its key.
        value: None when it isn't written; other faults of it are not found here.
        kind: What it should be: `users` or `rate`; anything else finds nothing.
        beside: What says so, as written.
    """
    text = str(value)
    if value is None or kind not in ("users", "rate") or "${" in text or not _LEVEL.match(text):
        return
    if ("/" in text) != (kind == "rate"):
        yield Fault(
            Code.INVALID_VALUE,
            f"`{key}: {value}` can't be combined with `{beside}`",
            "write a rate such as `20/s`" if kind == "rate" else _as_users(text),
            key,
        )


def _as_users(level: str) -> str:
    number = re.match(r"\+?\s*[0-9]+", level)
    return f"write a number of users: `{number[0] if number else 20}`"
