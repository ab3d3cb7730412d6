"""How sure a figure of a run is, from its intervals: a block bootstrap with a fixed seed."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from math import sqrt
from operator import mul
from typing import Final

from planrunner.metrics.judging.measured import measured_seconds
from planrunner.results.model import RunResult
from planrunner.results.record import RequestPoints, measured_of
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "CHECKS",
    "FIGURES",
    "SHARES",
    "WORK_RATE",
    "Estimate",
    "Interval",
    "estimates",
    "measured_intervals",
    "too_short",
]

_REPLICATES: Final = 100
_MOST_BLOCKS: Final = 60
_FEWEST_BLOCKS: Final = 6
"""With fewer, the spread between them says little about the spread between runs."""

_SHORTEST_BLOCK: Final = 2
_FEWEST_INTERVALS: Final = _FEWEST_BLOCKS * _SHORTEST_BLOCK

_STRATUM: Final = 3

FIGURES: Final = ("typical_p50", "typical_p95", "typical_p99", "throughput", "error_rate")
"""Percentiles are those of a typical second, so they have names of their own."""

CHECKS: Final = "checks"
"""The figure that requests with expectations have as well: the share that held."""

WORK_RATE: Final = "work_rate"
"""The figure that requests with work have as well."""

SHARES: Final = frozenset({"error_rate", CHECKS})
"""Figures whose changes are differences, as a share of nothing has no ratio to another."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of a run.

    Attributes:
        value: In base units: seconds, per second, a share.
        error: Its standard error; negative when the run is too short for one.
        freedom: How many independent differences that error was estimated from.
    """

    value: float
    error: float
    freedom: int = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of the time that counts.

    Attributes:
        second: Its end, from the start of the run.
        seconds: How much of it counts, with what counts of neighbours that mostly do not: the
            last second of a run is seldom whole.
    """

    second: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Values:
    """A percentile of each interval, the lowest first, with its requests and its block."""

    values: Sequence[float]
    requests: Sequence[int]
    blocks: Sequence[int]

    def median(self, times: Sequence[int]) -> float:
        """Return the median by requests when each block counts as often as `times` says."""
        if not self.values:
            return 0.0
        counts = map(times.__getitem__, self.blocks)
        upto = list(accumulate(map(mul, self.requests, counts)))
        return self.values[bisect_left(upto, upto[-1] / 2)] if upto[-1] else 0.0


@dataclass(frozen=True, slots=True)
class _SampleBlocks:
    """A request's intervals in blocks of some in a row; the sequences have one entry a block."""

    seconds: Sequence[float]
    requests: Sequence[int]
    failed: Sequence[int]
    percentiles: tuple[_Values, ...]
    asked: Sequence[int] = ()
    broken: Sequence[int] = ()
    work: Sequence[float] = ()

    def figures(self, times: Sequence[int]) -> tuple[float, ...]:
        """Return `names` when each block counts as often as `times` says."""
        requests = sum(map(mul, self.requests, times))
        if not requests:
            return (0.0,) * len(self.names)
        seconds = sum(map(mul, self.seconds, times))
        found = [
            *(values.median(times) for values in self.percentiles),
            requests / seconds if seconds else 0.0,
            sum(map(mul, self.failed, times)) / requests,
        ]
        if self.asked:
            asked, broken = (sum(map(mul, each, times)) for each in (self.asked, self.broken))
            found.append(1 - broken / asked if asked else 1.0)
        if self.work:
            found.append(sum(map(mul, self.work, times)) / seconds if seconds else 0.0)
        return tuple(found)

    @property
    def names(self) -> tuple[str, ...]:
        more = ((CHECKS, self.asked), (WORK_RATE, self.work))
        return (*FIGURES, *(name for name, values in more if values))

    def strata(self) -> Iterator[range]:
        """Yield neighbouring blocks in threes; none where the request was not sent at all."""
        count = len(self.requests)
        for first in range(0, count - _STRATUM + 1, _STRATUM):
            last = first + _STRATUM if first + 2 * _STRATUM <= count else count
            if any(self.requests[first:last]):
                yield range(first, last)


def too_short(whose: str, intervals: Sequence[Interval]) -> Iterator[str]:
    """Say of what measured in these intervals that it can't be compared; nothing where it can."""
    if len(intervals) < _FEWEST_INTERVALS:
        seconds = sum(interval.seconds for interval in intervals)
        length = f"only {seconds:.0f} s" if seconds >= 0.5 else "less than a second"
        yield f"{whose} measured {length}, which is too short to compare"


def measured_intervals(result: RunResult) -> list[Interval]:
    """Return the intervals of a run's requests that are mostly measured, in order of time."""
    points = [one for one in result.request_points if one.seconds]
    if not points:
        return []
    length = points[0].interval_seconds
    ends = range(
        min(one.seconds[0] for one in points), max(one.seconds[-1] for one in points) + 1, length
    )
    if not result.measured:
        return [Interval(end, length) for end in ends]
    intervals: list[Interval] = []
    rest = 0.0
    for end in ends:
        seconds = _counted(result, end - length, end)
        if seconds > length / 2:
            intervals.append(Interval(end, seconds + rest))
            rest = 0.0
        elif intervals:
            intervals[-1] = Interval(intervals[-1].second, intervals[-1].seconds + seconds)
        else:
            rest += seconds
    return intervals


def estimates(
    points: RequestPoints, intervals: Sequence[Interval], *, seed: str
) -> dict[str, Estimate]:
    """Return each of `FIGURES` with its standard error, and those that only some requests have.

    A percentile is the median of those of the intervals, by their requests: a typical second's.
    What else the machine does makes some seconds many times as slow, and a mean with them.
    Neighbouring intervals resemble each other, so blocks of them are drawn, not single ones; and
    each in the place of a neighbour, so that a ramp, which both runs have, is no noise.
    Without intervals there are shares alone: no time to divide by, and no typical second.
    """
    blocks = _blocks(points, intervals)
    once = [1] * len(blocks.requests)
    whole = blocks.figures(once)
    strata = list(blocks.strata())
    used = sum(map(len, strata))
    if used < _FEWEST_BLOCKS:
        return {name: Estimate(one, -1.0) for name, one in zip(blocks.names, whole, strict=True)}
    draw: Callable[..., list[int]] = random.Random(f"bootstrap {seed}").choices
    replicates = []
    for _ in range(_REPLICATES):
        times = once.copy()
        for stratum in strata:
            drawn = draw(stratum, k=len(stratum))
            for block in stratum:
                times[block] = drawn.count(block)
        replicates.append(blocks.figures(times))
    # So few blocks show only a part of their whole spread.
    widen = sqrt(_STRATUM / (_STRATUM - 1))
    return {
        name: Estimate(value, widen * _spread([one[n] for one in replicates]), used - len(strata))
        for n, (name, value) in enumerate(zip(blocks.names, whole, strict=True))
    }


def _counted(result: RunResult, begin: int, end: int) -> float:
    """Return how many of these seconds of a run are measured."""
    begin_ns, end_ns = begin * NS_PER_S, end * NS_PER_S
    return measured_seconds(
        replace(part, start_ns=max(part.start_ns, begin_ns), end_ns=min(part.end_ns, end_ns))
        for part in measured_of(result.measured)
    )


def _blocks(points: RequestPoints, intervals: Sequence[Interval]) -> _SampleBlocks:
    length = max(_SHORTEST_BLOCK, -(-len(intervals) // _MOST_BLOCKS))
    # What is left over is part of the last block: a short one would count as much as a long one.
    count = max(len(intervals) // length, 1)
    seconds, requests, failed = [0.0] * count, [0] * count, [0] * count
    work = [0.0] * count if points.work else []
    asked, broken = ([0] * count if points.asked else [] for _ in range(2))
    for place, interval in enumerate(intervals):
        seconds[min(place // length, count - 1)] += interval.seconds
    ends = [interval.second for interval in intervals]
    within: list[tuple[int, int]] = []
    for n, second in enumerate(points.seconds):
        # What ended after the time that counts belongs to its last part.
        place = max(bisect_right(ends, second) - 1, 0)
        block = min(place // length, count - 1)
        requests[block] += points.requests[n]
        failed[block] += points.failed[n]
        if work:
            work[block] += points.work[n]
        if asked:
            asked[block] += points.asked[n]
            broken[block] += points.broken[n]
        if ends[place : place + 1] == [second]:
            within.append((n, block))
    percentiles = (points.p50_ns, points.p95_ns, points.p99_ns)
    values = tuple(_values(points, each, within) for each in percentiles)
    return _SampleBlocks(seconds, requests, failed, values, asked, broken, work)


def _values(
    points: RequestPoints, percentile_ns: Sequence[int], within: Sequence[tuple[int, int]]
) -> _Values:
    with_latency = [pair for pair in within if percentile_ns[pair[0]]]
    ordered = sorted(with_latency, key=lambda pair: percentile_ns[pair[0]])
    return _Values(
        [percentile_ns[n] / 1e9 for n, _ in ordered],
        [points.requests[n] for n, _ in ordered],
        [block for _, block in ordered],
    )


def _spread(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
