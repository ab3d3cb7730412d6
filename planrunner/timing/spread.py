"""How samples scatter: median, MAD, what is known of the median, drift, outliers."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, sqrt
from typing import Final

from planrunner.errors import Misuse
from planrunner.values import dataclass

__all__ = [
    "FEWEST",
    "NORMAL_MAD",
    "Spread",
    "drift_between",
    "far_from",
    "median",
    "median_ranks",
    "spread_of",
    "spread_of_counts",
]

FEWEST: Final = 6
"""Samples below which no pair of them encloses the median with 95 %: 2 × 0.5⁵ is more than 5 %."""

NORMAL_MAD: Final = 1.4826
"""Standard deviations in a MAD of normally distributed values: 1 / Φ⁻¹(3/4)."""

_Z: Final = 1.96  # of 95 %
_OUTLYING_SCORE: Final = 3.5
"""Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): modified z-score."""

_OUTLYING_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Spread:
    """What samples of one thing, in the order of their time, come to.

    Attributes:
        count: How many samples.
        median: In the unit of the samples.
        mad: The median absolute deviation: half of the samples are within it of the median.
        interval: The samples that enclose the median with 95 %, whatever their distribution.
        drift: From the first half to the second one, as a share of the first; 0 where the
            intervals of the halves' medians overlap.
        outliers: How many samples are far from the median: see `far_from`.
    """

    count: int
    median: float
    mad: float
    interval: tuple[float, float]
    drift: float
    outliers: int


def spread_of(samples: Sequence[float]) -> Spread:
    """Return the spread of samples in the order of their time.

    Raises:
        Misuse: There are none.
    """
    ordered = sorted(samples)
    middle = _middle(ordered)
    mad = median([abs(sample - middle) for sample in samples])
    far = far_from(middle, mad)
    half = len(samples) // 2
    return Spread(
        count=len(samples),
        median=middle,
        mad=mad,
        interval=_enclosing(ordered),
        drift=_drift(samples[:half], samples[half:]),
        outliers=sum(abs(sample - middle) > far for sample in samples),
    )


Counts = Sequence[tuple[float, int]]
"""Values in ascending order, each with how many samples have it."""


def spread_of_counts(counts: Counts, halves: tuple[Counts, Counts] | None = None) -> Spread:
    """Return the spread of samples of which only counts are known, as those of a histogram.

    Args:
        counts: Of all samples.
        halves: Of the earlier and of the later ones; None where that is unknown.

    Raises:
        Misuse: There are no samples.
    """
    count = sum(n for _, n in counts)
    middle = _at_rank(counts, (count + 1) // 2)
    away = sorted((abs(value - middle), n) for value, n in counts)
    mad = _at_rank(away, (count + 1) // 2)
    far = far_from(middle, mad)
    drift = 0.0
    if halves is not None:
        first, second = map(_median_of_counts, halves)
        if first is not None and second is not None:
            drift = drift_between(first, second)
    return Spread(
        count=count,
        median=middle,
        mad=mad,
        interval=(
            _at_rank(counts, median_ranks(count)[0]),
            _at_rank(counts, median_ranks(count)[1]),
        ),
        drift=drift,
        outliers=sum(n for value, n in counts if abs(value - middle) > far),
    )


def median(samples: Sequence[float]) -> float:
    """Return the median.

    Raises:
        Misuse: There are no samples.
    """
    return _middle(sorted(samples))


def far_from(middle: float, mad: float) -> float:
    """Return how far from the median a sample is an outlier.

    Its modified z-score, 0.6745 abs(x - median) / MAD, is over 3.5, and it is over 5 % of the
    median away: where samples are much alike, a strange one does no harm.
    """
    return max(_OUTLYING_SCORE * NORMAL_MAD * mad, _OUTLYING_SHARE * middle)


def median_ranks(count: int) -> tuple[int, int]:
    """Return the ranks, from 1, of the samples that enclose the median with 95 %.

    Source: the normal approximation of the binomial distribution, see Conover, Practical
    Nonparametric Statistics, 3.2; rounded outwards, so that it is 95 % or more.
    """
    reach = _Z * sqrt(count) / 2
    return max(floor(count / 2 - reach), 1), min(ceil(count / 2 + 1 + reach), count)


def drift_between(
    first: tuple[float, tuple[float, float]], second: tuple[float, tuple[float, float]]
) -> float:
    """Return how much more the second median is, as a share; 0 where their intervals overlap.

    Args:
        first: A median and the interval that encloses it.
        second: Another one, of later samples.
    """
    (before, (lowest, highest)), (after, (low, high)) = first, second
    if before <= 0 or (low <= highest and lowest <= high):
        return 0.0
    return after / before - 1


def _drift(first: Sequence[float], second: Sequence[float]) -> float:
    if len(first) < FEWEST:
        return 0.0
    before, after = sorted(first), sorted(second)
    return drift_between((_middle(before), _enclosing(before)), (_middle(after), _enclosing(after)))


def _median_of_counts(counts: Counts) -> tuple[float, tuple[float, float]] | None:
    """Return a median and the interval that encloses it; None for too few samples."""
    count = sum(n for _, n in counts)
    if count < FEWEST:
        return None
    low, high = median_ranks(count)
    return _at_rank(counts, (count + 1) // 2), (_at_rank(counts, low), _at_rank(counts, high))


def _at_rank(counts: Counts, rank: int) -> float:
    for value, n in counts:
        rank -= n
        if rank <= 0:
            return value
    raise Misuse("no samples have no median")


def _enclosing(ordered: Sequence[float]) -> tuple[float, float]:
    low, high = median_ranks(len(ordered))
    return ordered[low - 1], ordered[high - 1]


def _middle(ordered: Sequence[float]) -> float:
    if not ordered:
        raise Misuse("no samples have no median")
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
