"""Whether any host still accepts a connection."""

from __future__ import annotations

from collections import Counter

from planrunner.engine.steps.failures import REFUSALS
from planrunner.metrics.series import ABORTED, Labels
from planrunner.metrics.snapshot import Snapshot

__all__ = ["Outage"]


class Outage:
    """A stretch of time in which every request that ended was refused a connection."""

    def __init__(self) -> None:
        self._began_ns: int | None = None
        self._refused: Counter[str] = Counter()

    def __str__(self) -> str:
        return ", ".join(f"{times} x {kind}" for kind, times in self._refused.most_common())

    def add(self, snapshot: Snapshot) -> int:
        """Take in an interval; returns how long the outage has lasted, 0 when there is none.

        Only a further refusal prolongs it: an interval without attempts proves nothing.
        """
        refused: Counter[str] = Counter()
        for labels, delta in snapshot.deltas.items():
            if labels.kind != "request":
                continue
            if labels.failure in REFUSALS:
                refused[labels.failure] += delta.count
            elif _was_answered(labels):
                self._began_ns = None
                self._refused.clear()
                return 0
        if not refused:
            return 0
        self._refused += refused
        if self._began_ns is None:
            self._began_ns = snapshot.start_ns
        return snapshot.end_ns - self._began_ns


def _was_answered(labels: Labels) -> bool:
    """Whether at least one host accepted a connection."""
    if labels.failure == ABORTED:
        return False
    return labels.has_latency
