"""What generators that take turns come to: medians, and what a request costs without the start."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

SHORT_S = 1
"""Seconds of the shorter of two runs, whose difference leaves out starting and ending."""

Raw = dict[str, list[dict[str, float]]]
"""What was measured in each round, by generator."""

Generated = tuple[float, float, float]
"""CPU seconds of the whole process, requests, requests a second."""


def medians(raw: Raw, what: str) -> dict[str, float]:
    """Return the median of one figure of each generator."""
    return {name: round(median(one[what] for one in found), 1) for name, found in raw.items()}


def without_start(
    generate: Callable[[int], Generated], seconds: int, word: str
) -> dict[str, float]:
    """Return the rate, and the CPU of one of what `word` calls it, without that of starting."""
    short_s, short_count, _ = generate(SHORT_S)
    long_s, long_count, rate = generate(seconds)
    cpu_us = (long_s - short_s) / (long_count - short_count) * 1e6
    return {"rate": round(rate, 1), f"cpu_us_per_{word}": round(cpu_us, 1)}
