"""The time that counts: after warm-up, before graceful stop."""

from __future__ import annotations

from collections.abc import Iterable

from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["MeasuredTime", "measured_seconds"]


@dataclass(frozen=True, slots=True)
class MeasuredTime:
    """A stretch of one stage that counts: after warm-up, before graceful stop (clock time).

    Attributes:
        is_counted: Whether its phase lasts as long as a number of iterations does.
    """

    phase: str
    stage: str
    start_ns: int
    end_ns: int
    is_counted: bool = False


def measured_seconds(measured: Iterable[MeasuredTime]) -> float:
    """Return the length of the union: phases that ran beside each other count once."""
    covered_ns = end_ns = 0
    for part in sorted(measured, key=lambda part: part.start_ns):
        start_ns = part.start_ns if not covered_ns else max(part.start_ns, end_ns)
        if part.end_ns > start_ns:
            covered_ns += part.end_ns - start_ns
            end_ns = part.end_ns
    return covered_ns / NS_PER_S
