"""Seconds of runs that never were, as outputs get them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.outputs.base import RunInfo, Second

__all__ = ["NOON", "delta_of", "labels_of", "run_info", "second_of"]

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

_USUAL = Labels("GET /items", "GET", "steady", "hold", "Buyer", "browse", status=200)


def run_info(**changes: Any) -> RunInfo:
    facts = {
        "run_id": "r1",
        "plan": "shop",
        "profile": "load",
        "seed": 7,
        "labels": {"build": "1"},
        "directory": Path("run"),
    }
    return RunInfo(**{**facts, **changes})


def labels_of(**changes: Any) -> Labels:
    facts = {name: getattr(_USUAL, name) for name in _USUAL.__slots__}
    return Labels(**{**facts, **changes})


def delta_of(*latencies_ns: int, **facts: Any) -> SeriesDelta:
    values = Histogram(latencies_ns)
    return SeriesDelta(values, values, **facts)


def second_of(
    number: int,
    deltas: Mapping[Labels, SeriesDelta],
    *,
    users: Mapping[str, int] | None = None,
    is_last: bool = False,
) -> Second:
    """Return the second that ended `number` seconds after noon."""
    snapshot = Snapshot(number, number + 1, {"Buyer": 3} if users is None else users, deltas)
    ended = NOON + timedelta(seconds=number)
    return Second(number, ended, ("steady",), snapshot, is_last=is_last)
