"""Pauses: numbers, times, random numbers, jitter."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from planrunner.importers.formats.artillery.expressions import ArtilleryExpressions
from planrunner.importers.nodes import SourceEntry
from planrunner.importers.reading.quantities import read_seconds, seconds

__all__ = ["think"]

_RANDOM: Final = re.compile(
    r"\{\{\s*\$random\w*\(\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*\)\s*\}\}\s*([a-z]*)"
)
_RANGE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-|\.\.)\s*(\d+(?:\.\d+)?)")
_PARAM: Final = re.compile(r"\$\{[A-Za-z_]\w*\}")


def think(entry: SourceEntry, jitter: str, expressions: ArtilleryExpressions) -> str | None:
    """Return a pause as a plan has it; None for none."""
    node = entry.node
    if node.is_mapping:
        return _mapping(entry)
    fixed = read_seconds(node.scalar)
    if fixed is not None:
        return _jittered(fixed, jitter)
    text = node.text().strip()
    if found := _RANDOM.fullmatch(text):
        return _between(found[1], found[2], found[3])
    if found := _RANGE.fullmatch(text):
        entry.construct.suspicious("Artillery takes no range here; this is what must be meant")
        return _between(found[1], found[2], "")
    number = expressions.text(text, entry.construct)
    name = number[2:-1]
    if _PARAM.fullmatch(number) and name in expressions.test.names.params:
        spec = expressions.test.names.params[name].spec
        if isinstance(spec, dict) and read_seconds(spec.get("default")) is not None:
            return _of_param(spec, number)
    entry.construct.left_out("a pause can't be computed while the test runs: write its range")
    return None


def _of_param(spec: dict[str, object], number: str) -> str:
    """Return the pause that a param gives; a bare number is one of seconds."""
    default = spec["default"]
    if isinstance(default, str) and not default.strip().isdigit():
        return number
    return f"{number}s"


def _mapping(entry: SourceEntry) -> str | None:
    entry.construct.suspicious("Artillery takes a number here; this is what must be meant")
    values = [read_seconds(one.node.scalar) for one in entry.node.entries or []]
    for one in entry.node.below():
        one.construct.suspicious("Artillery takes a number here")
    times = sorted(one for one in values if one is not None)
    return _range(times[0], times[-1]) if times else None


def _between(low: str, high: str, unit: str) -> str:
    first, last = (read_seconds(f"{one}{unit}") or Fraction(0) for one in (low, high))
    return _range(first, last)


def _range(low: Fraction, high: Fraction) -> str:
    low, high = min(low, high), max(low, high)
    return seconds(low) if low == high else f"{seconds(low)}..{seconds(high)}"


def _jittered(time: Fraction, jitter: str) -> str:
    """Return a pause that varies by a share of it, or by a time, to both sides."""
    if not jitter:
        return seconds(time)
    share = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", jitter)
    plain = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*", jitter)
    by = (
        time * Fraction(share[1]) / 100
        if share
        else read_seconds(f"{jitter}ms" if plain else jitter)
    )
    return _range(max(Fraction(0), time - (by or 0)), time + (by or 0))
