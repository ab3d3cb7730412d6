"""What waits in front of outputs: each thing once, whoever waits for it, up to so many bytes."""

from __future__ import annotations

import sys
from itertools import islice
from typing import Final

from planrunner.engine.coordinator.events import Logged
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.outputs.base import RunEvent, Second
from planrunner.values import dataclass

__all__ = ["MOST_BYTES", "Waiting", "WaitingRoom", "bytes_of"]

MOST_BYTES: Final = 64_000_000

_SMALL: Final = 1_000
"""Bytes of an event, and of what a second has beside its series; measured with tracemalloc."""

_PER_SERIES: Final = 500
"""Bytes of a series without its buckets, labels included when they came from another worker."""

_LOOKED_AT: Final = 100
"""Series whose bytes are counted, at most; that takes 0.1 ms."""


@dataclass(slots=True)
class Waiting:
    """Something that outputs have not taken in yet.

    Attributes:
        readers: How many of them it waits for.
        size: In bytes; 0 while nobody has asked.
    """

    item: Second | RunEvent
    readers: int = 0
    size: int = 0


class WaitingRoom:
    """Counts the bytes of what waits.

    What is taken at once, as it usually is, is never measured.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._held: list[Waiting] = []

    def enter(self, item: Second | RunEvent) -> tuple[Waiting, bool]:
        """Return the entry of a thing, and whether there is room for it.

        Whoever keeps it counts as one of its readers, and is no reader any more when it is taken.
        """
        self._held = [entry for entry in self._held if entry.readers]
        taken = 0
        for entry in self._held:
            entry.size = entry.size or bytes_of(entry.item)
            taken += entry.size
        entry = Waiting(item)
        self._held.append(entry)
        return entry, taken < self._most


def bytes_of(item: Second | RunEvent) -> int:
    """Return about how much memory something takes."""
    if isinstance(item, Second):
        return _SMALL + _of_snapshot(item.snapshot)
    if isinstance(item, Logged):
        return _SMALL + sum(map(sys.getsizeof, item.lines))
    return _SMALL


def _of_snapshot(snapshot: Snapshot) -> int:
    """Return the bytes of all series, from those of some: the load waits while they are looked at.

    Neighbours differ, in their requests or their statuses, so every so many of them are looked at.
    """
    count = len(snapshot.deltas)
    step = -(-count // _LOOKED_AT) or 1
    found = [_of_series(delta) for delta in islice(snapshot.deltas.values(), 0, None, step)]
    return sum(found) * count // max(len(found), 1)


def _of_series(delta: SeriesDelta) -> int:
    histograms = {id(one): one for one in (delta.latency, delta.service, *delta.measures.values())}
    return _PER_SERIES + sum(one.memory_bytes for one in histograms.values())
