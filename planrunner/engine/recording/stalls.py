"""Whether the target stalled, so that users who would have sent meanwhile did not."""

from __future__ import annotations

from collections import Counter
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.snapshot import Snapshot
from planrunner.units import NS_PER_MS
from planrunner.values import dataclass

__all__ = ["Stall", "StallWatch"]

_LEAST_NS: Final = 100 * NS_PER_MS
_TIMES_USUAL: Final = 10
"""How much longer than half of the same requests one takes that waited for a stall to end."""

_LEAST_SAMPLES: Final = 20
"""So many say what is usual."""

_SHARE_OF_USERS: Final = 0.5
"""Of the users, who waited at the same time: slow requests alone are no stall."""


@dataclass(frozen=True, slots=True)
class Stall:
    """The longest stall of a phase.

    Attributes:
        lasted_ns: What the slowest of the requests took that waited for its end.
        end_ns: When it was over (clock time), to the second.
    """

    lasted_ns: int
    end_ns: int


class StallWatch:
    """Looks for requests that took many times what is usual, of most users at a time.

    Attributes:
        longest: By phase; those without a stall are left out.
    """

    def __init__(self) -> None:
        self.longest: dict[str, Stall] = {}
        self._usual: dict[tuple[str, str], Histogram] = {}
        self._before: Counter[str] = Counter()
        self._users = 0

    def add(self, snapshot: Snapshot) -> None:
        """Take in one interval, in order of time."""
        slow: Counter[str] = Counter()
        slowest: dict[str, int] = {}
        for (phase, warmup, request), latency in snapshot.latencies.items():
            if warmup:
                continue
            usual = self._usual.setdefault((phase, request), Histogram())
            found = _slow_in(latency, usual)
            usual.merge(latency)
            if found:
                slow[phase] += found
                slowest[phase] = max(slowest.get(phase, 0), latency.max)
        alive = sum(snapshot.users.values())
        users = max(alive, self._users, 1)
        for phase, longest_ns in slowest.items():
            # What waited together may end in two intervals.
            if slow[phase] + self._before[phase] >= users * _SHARE_OF_USERS:
                known = self.longest.get(phase)
                if known is None or known.lasted_ns < longest_ns:
                    self.longest[phase] = Stall(longest_ns, snapshot.end_ns)
        self._before, self._users = slow, alive


def _slow_in(latency: Histogram, usual: Histogram) -> int:
    """Return how many requests took many times what is usual."""
    if latency.max < _LEAST_NS or usual.count < _LEAST_SAMPLES:
        return 0
    limit_ns = max(_TIMES_USUAL * usual.percentile(50), _LEAST_NS)
    return latency.count - latency.count_at_most(limit_ns)
