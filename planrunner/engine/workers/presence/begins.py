"""Whether workers of different hosts began together, as far as their clocks can say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Final

from planrunner.engine.workers.worker_state import WorkerState
from planrunner.units import NS_PER_MS
from planrunner.values import dataclass

__all__ = ["BeginsApart", "begins_apart"]

_TOGETHER_NS: Final = 2 * NS_PER_MS
"""What waking up takes on a host that is not busy."""


@dataclass(frozen=True, slots=True)
class BeginsApart:
    """Two workers that began a phase further apart than they may.

    Attributes:
        first: The host that began, and `last` the other one.
        spread_ns: How far apart they were.
        limit_ns: How far they may be: 2 ms, and what their clocks may be off.
    """

    first: str
    last: str
    spread_ns: int
    limit_ns: int

    @property
    def excess_ns(self) -> int:
        return self.spread_ns - self.limit_ns


def begins_apart(began: Sequence[tuple[WorkerState, int]]) -> BeginsApart | None:
    """Return the two hosts that were furthest beyond their limit; None if all began together.

    Workers of one host have one clock: that they are apart says only that the host is busy.

    Args:
        began: Workers, and when each began a phase (clock time).
    """
    earliest: dict[str, int] = {}
    latest: dict[str, int] = {}
    errors = {link.handle.host: link.handle.clock.error_ns for link, _ in began}
    for link, moment in began:
        host = link.handle.host
        earliest[host] = min(earliest.get(host, moment), moment)
        latest[host] = max(latest.get(host, moment), moment)
    found = (
        BeginsApart(
            first,
            last,
            latest[last] - earliest[first],
            _TOGETHER_NS + errors[first] + errors[last],
        )
        for first, last in permutations(errors, 2)
    )
    return max(
        (one for one in found if one.excess_ns > 0), key=lambda one: one.excess_ns, default=None
    )
