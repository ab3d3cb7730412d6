"""The bounds of buckets, for servers whose histograms are counts of what is at most so long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from planrunner.units import NS_PER_MS

__all__ = ["USUAL_BUCKETS_NS", "ascending"]

USUAL_BUCKETS_NS: Final = tuple(
    round(ms * NS_PER_MS)
    for ms in (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000)
)
"""From what a cache answers in to what a person still waits for, about three to a power of ten."""


def ascending(bounds_ns: Iterable[int]) -> tuple[int, ...]:
    """Return bounds in their order, each once."""
    return tuple(sorted(set(bounds_ns)))
