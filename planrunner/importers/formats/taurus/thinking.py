"""Think times of Taurus."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from planrunner.importers.nodes import SourceEntry
from planrunner.importers.reading.quantities import read_seconds, seconds

__all__ = ["pause_of"]

_SPREAD: Final = re.compile(r"(uniform|gaussian|poisson)\(\s*([^,]+?)\s*,\s*([^)]+?)\s*\)")


def pause_of(entry: SourceEntry) -> str | None:
    """Return a pause as a plan has it; judges the key where it can't be one."""
    time = read_seconds(entry.node.scalar)
    if time is not None:
        return seconds(time)
    found = _SPREAD.fullmatch(entry.node.text().strip())
    first = read_seconds(found[2]) if found else None
    second = read_seconds(found[3]) if found else None
    if found is None or first is None or second is None:
        entry.construct.left_out("write the pause as a time or a range: `1s..3s`")
        return None
    if found[1] == "uniform":
        low = max(Fraction(0), first - second)
        return f"{seconds(low)}..{seconds(first + second)}"
    if found[1] == "gaussian":
        return f"normal({seconds(first)}, {seconds(second)})"
    entry.construct.changed("Poisson's distribution became an exponential one")
    return f"exponential({seconds(first)})"
