"""Dates as text: the helper `date`, and the filter of the same name."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from planrunner.language.expressions.values import EvaluationError, kind_of
from planrunner.units import NS_PER_S, UnitError, parse_duration

__all__ = ["ISO", "date_text", "shifted"]

ISO: Final = "%Y-%m-%dT%H:%M:%SZ"
"""RFC 3339, in UTC."""

_ISO_NAMES: Final = frozenset({"ISO", "ISO8601", "ISO 8601", "ISO-8601"})
_MOST: Final = 200
_DIRECTIVE: Final = re.compile(r"%(.?)", re.DOTALL)
_DIRECTIVES: Final = frozenset("aAbBdHIjmMpSUwWyYfzZGuV%")
"""Those that every system knows, and none with a width: one could ask for a gigabyte."""


def date_text(value: object, format: str = ISO, offset: object = 0) -> str:  # noqa: A002 - as plans write it
    """Write a moment as text, in UTC.

    Args:
        value: Seconds since 1970, or a date as text (ISO 8601; without a zone it is UTC).
        format: With the directives of `strftime`, or `ISO`.
        offset: What is added: seconds, or a duration such as `-1h30m`.
    """
    if len(format) > _MOST:
        raise EvaluationError(f"the format of a date has at most {_MOST} characters")
    if format.upper() in _ISO_NAMES:
        format = ISO  # noqa: A001 - as plans write it
    if "%" not in format:
        raise EvaluationError(f"`{format}` names no part of a date: write `%Y-%m-%d %H:%M:%S`")
    for found in _DIRECTIVE.finditer(format):
        if found[1] not in _DIRECTIVES:
            raise EvaluationError(
                f"`{found[0]}` has no meaning in a date: write `%Y-%m-%d %H:%M:%S`"
            )
    return shifted(value, offset).strftime(format)


def shifted(value: object, offset: object) -> datetime:
    """Return a moment that is `offset` after another, in UTC."""
    try:
        return _moment(value) + timedelta(seconds=_seconds(offset))
    except (OverflowError, OSError):
        raise EvaluationError("dates are between the years 1 and 9999") from None


def _moment(value: object) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            raise EvaluationError("dates are between the years 1 and 9999") from None
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            raise EvaluationError(f"`{value[:40]}` is not a date") from None
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    raise EvaluationError(f"{kind_of(value)} is not a date: use seconds since 1970, or a text")


def _seconds(offset: object) -> float:
    if isinstance(offset, int | float) and not isinstance(offset, bool):
        return offset
    if isinstance(offset, str):
        sign = -1 if offset.startswith("-") else 1
        try:
            return sign * parse_duration(offset.lstrip("+-")) / NS_PER_S
        except UnitError as error:
            raise EvaluationError(error.message) from None
    raise EvaluationError(f"{kind_of(offset)} is not an offset: write seconds, or `-1h`")
