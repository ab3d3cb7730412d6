"""How sure a figure of a run is, from its intervals: a block bootstrap with a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import sqrt
from typing import Final

from planrunner.results.record import RequestPoints
from planrunner.values import dataclass

__all__ = ["FIGURES", "Estimate", "estimates"]

_REPLICATES: Final = 300
_MOST_BLOCKS: Final = 60
_FEWEST_BLOCKS: Final = 6
"""With fewer, the spread between them says little about the spread between runs."""

_STRATUM: Final = 3

FIGURES: Final = ("p50", "p95", "p99", "throughput", "error_rate")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of a run.

    Attributes:
        value: In base units: seconds, per second, a share.
        error: Its standard error; negative when the run is too short to tell.
        freedom: How many independent differences that error was estimated from.
    """

    value: float
    error: float
    freedom: int = 0


@dataclass(frozen=True, slots=True)
class _Block:
    """Some intervals in a row; sums that replicates add up."""

    seconds: float
    requests: int
    failed: int
    weighted: tuple[float, float, float]


def estimates(points: RequestPoints, *, seed: str) -> dict[str, Estimate]:
    """Return each of `FIGURES` with its standard error.

    The percentiles are those of the intervals, averaged by their requests: a typical second's.
    Neighbouring intervals resemble each other, so blocks of them are drawn, not single ones; and
    each in the place of a neighbour, so that a ramp, which both runs have, is no noise.
    """
    blocks = _blocks(points)
    whole = _figures(blocks)
    if len(blocks) < _FEWEST_BLOCKS:
        return {name: Estimate(value, -1.0) for name, value in zip(FIGURES, whole, strict=True)}
    draw: Callable[..., list[_Block]] = random.Random(f"bootstrap {seed}").choices
    strata = [blocks[n : n + _STRATUM] for n in range(0, len(blocks) - _STRATUM + 1, _STRATUM)]
    strata[-1] += blocks[len(strata) * _STRATUM :]
    replicates = [
        _figures([block for stratum in strata for block in draw(stratum, k=len(stratum))])
        for _ in range(_REPLICATES)
    ]
    # So few blocks show only a part of their whole spread.
    widen = sqrt(_STRATUM / (_STRATUM - 1))
    freedom = len(blocks) - len(strata)
    return {
        name: Estimate(value, widen * _spread([one[n] for one in replicates]), freedom)
        for n, (name, value) in enumerate(zip(FIGURES, whole, strict=True))
    }


def _blocks(points: RequestPoints) -> list[_Block]:
    """Cut the time from the first request to the last; intervals without one count too."""
    if not points.seconds:
        return []
    interval = points.interval_seconds
    first = points.seconds[0]
    count = (points.seconds[-1] - first) // interval + 1
    length = max(round(count ** (1 / 3)), -(-count // _MOST_BLOCKS))
    # What is left over is part of the last block: a short one would count as much as a long one.
    blocks = max(count // length, 1)
    members: list[list[int]] = [[] for _ in range(blocks)]
    for n, second in enumerate(points.seconds):
        members[min((second - first) // interval // length, blocks - 1)].append(n)
    lengths = [length] * (blocks - 1) + [count - length * (blocks - 1)]
    return [
        _block(points, chosen, interval * size)
        for chosen, size in zip(members, lengths, strict=True)
    ]


def _block(points: RequestPoints, chosen: Sequence[int], seconds: float) -> _Block:
    p50, p95, p99 = (
        sum(points.requests[n] * values[n] for n in chosen) / 1e9
        for values in (points.p50_ns, points.p95_ns, points.p99_ns)
    )
    return _Block(
        seconds=seconds,
        requests=sum(points.requests[n] for n in chosen),
        failed=sum(points.failed[n] for n in chosen),
        weighted=(p50, p95, p99),
    )


def _figures(blocks: Sequence[_Block]) -> tuple[float, ...]:
    requests = sum(block.requests for block in blocks)
    seconds = sum(block.seconds for block in blocks)
    failed = sum(block.failed for block in blocks)
    if not requests:
        return (0.0,) * len(FIGURES)
    return (
        *(sum(block.weighted[n] for block in blocks) / requests for n in range(3)),
        requests / seconds,
        failed / requests,
    )


def _spread(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
