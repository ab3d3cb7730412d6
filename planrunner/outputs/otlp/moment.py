"""What an export is about; the SDK, which takes long to import, has no part in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planrunner.engine.recording.generator_health import Health
from planrunner.metrics.judging.verdict import Verdict
from planrunner.outputs.labelled import LabelTexts
from planrunner.outputs.totals import RequestTotals
from planrunner.values import dataclass

__all__ = ["Moment"]


@dataclass(frozen=True, slots=True)
class Moment:
    """A run so far. Nobody changes what is in it before it is sent.

    Attributes:
        began_ns: When the load began, since 1970.
        at_ns: What this is the state of.
        run: The attributes of the run itself.
        buckets_ns: The bounds of the histogram of durations, ascending.
        names: Of the labels of `requests`.
        requests: Those that changed since they were last sent.
        users: By user class.
        dropped: Arrivals, by phase.
        verdicts: By threshold.
        health: Of the generator; None before the first second.
    """

    began_ns: int
    at_ns: int
    plan: str
    run: Mapping[str, str]
    buckets_ns: Sequence[int]
    names: Sequence[str]
    requests: Mapping[LabelTexts, RequestTotals]
    users: Mapping[str, int]
    dropped: Mapping[str, int]
    verdicts: Mapping[str, Verdict]
    health: Health | None
