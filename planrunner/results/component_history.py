"""Components over time, in bounded memory: what says whether their times are stable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.snapshot import Snapshot
from planrunner.protocols import registry
from planrunner.results.record import ComponentFigures
from planrunner.timing.machine import Conditions
from planrunner.timing.spread import Counts, spread_of_counts
from planrunner.timing.stability import judge_stability

__all__ = ["ComponentHistory"]

_MOST_PARTS: Final = 32
"""Into which the time of a component is divided: halves are then at most 1/32 of it unequal."""

_MOST_COMPONENTS: Final = 500


class ComponentHistory:
    """Collects the latencies of components in each phase, interval by interval; results only."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], list[Histogram]] = {}

    def add(self, snapshot: Snapshot) -> None:
        """Add an interval, in order of time."""
        new: dict[tuple[str, str], Histogram] = {}
        for labels, delta in snapshot.deltas.items():
            if labels.is_timed_request and registry.is_component(labels.protocol):
                key = labels.phase, labels.request
                new.setdefault(key, Histogram()).merge(delta.latency)
        for key, latency in new.items():
            if key in self._parts or len(self._parts) < _MOST_COMPONENTS:
                parts = self._parts.setdefault(key, [])
                parts.append(latency)
                if len(parts) > _MOST_PARTS:
                    _join_smallest(parts)

    def figures(self, machine: Conditions | None) -> tuple[ComponentFigures, ...]:
        """Return what came of each component, by phase and name as they began."""
        return tuple(
            _figures(phase, name, parts, machine) for (phase, name), parts in self._parts.items()
        )


def _join_smallest(parts: list[Histogram]) -> None:
    """Make one of the two neighbours that have the fewest samples together."""
    pairs = range(len(parts) - 1)
    place = min(pairs, key=lambda index: parts[index].count + parts[index + 1].count)
    parts[place].merge(parts.pop(place + 1))


def _figures(
    phase: str, name: str, parts: Sequence[Histogram], machine: Conditions | None
) -> ComponentFigures:
    whole = _merged(parts)
    spread = spread_of_counts(whole.counts(), _halves(parts))
    found = judge_stability(spread, machine)
    return ComponentFigures(
        name=name,
        phase=phase,
        samples=spread.count,
        median_ns=round(spread.median),
        mad_ns=round(spread.mad),
        stable=found.is_stable,
        reasons=found.reasons,
        needed=found.needed,
    )


def _halves(parts: Sequence[Histogram]) -> tuple[Counts, Counts]:
    """Return the earlier and the later samples, divided where they are most nearly halves."""
    until = list(accumulate(part.count for part in parts))
    place = min(range(len(parts)), key=lambda index: abs(2 * until[index] - until[-1])) + 1
    return _merged(parts[:place]).counts(), _merged(parts[place:]).counts()


def _merged(parts: Iterable[Histogram]) -> Histogram:
    whole = Histogram()
    for part in parts:
        whole.merge(part)
    return whole
