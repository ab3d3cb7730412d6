"""What a result keeps of the run before it, so that its reports need no other file."""

from __future__ import annotations

from planrunner.errors import UsageError
from planrunner.results.changes import EarlierKind, EarlierPoints, EarlierRun
from planrunner.results.comparison import compare
from planrunner.results.model import RunResult

__all__ = ["make_earlier"]


def make_earlier(before: RunResult, after: RunResult, kind: EarlierKind) -> EarlierRun | None:
    """Compare a run with an earlier one; None where one of them has no requests over time."""
    try:
        comparison = compare(before, after)
    except UsageError:
        return None
    names = {points.name for points in after.request_points}
    return EarlierRun(
        kind=kind,
        started=before.started,
        comparison=comparison,
        points=tuple(
            EarlierPoints(
                points.name,
                points.interval_seconds,
                points.seconds,
                points.requests,
                points.p95_ns,
            )
            for points in before.request_points
            if points.name in names
        ),
    )
