"""The seconds that work is divided by.

They are those of the measured time, as for requests per second. A phase that counts iterations has
no time of its own: it lasts as long as its users need, and what they do between the samples is
preparation. There the seconds are those that the samples took, and no more than the phase lasted,
as users work side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planrunner.metrics.judging.measured import MeasuredTime, measured_seconds
from planrunner.metrics.measures import CALLS, WORK
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, SeriesTotal
from planrunner.units import NS_PER_S

__all__ = ["work_seconds"]

_WORK: Final = WORK.word


def work_seconds(
    picked: Sequence[tuple[Labels, SeriesDelta | SeriesTotal]], measured: Sequence[MeasuredTime]
) -> float:
    """Return the time of the work that these samples did; failures took time as well.

    Args:
        picked: Series that are results; those of requests without work take no part.
        measured: What counts as measured time.
    """
    by_phase: dict[str, list[MeasuredTime]] = {}
    timed: list[MeasuredTime] = []
    for part in measured:
        (by_phase.setdefault(part.phase, []) if part.is_counted else timed).append(part)
    seconds = measured_seconds(timed)
    for phase, parts in by_phase.items():
        took_ns = sum(
            series.service.total * _times(series)
            for labels, series in picked
            if labels.phase == phase and _WORK in labels.records and labels.has_latency
        )
        seconds += min(took_ns / NS_PER_S, measured_seconds(parts))
    return seconds


def _times(series: SeriesDelta | SeriesTotal) -> float:
    """Return how often a sample did its work, whose time is that of one."""
    calls = series.measures.get(CALLS)
    return calls.total / calls.count if calls else 1
