"""What requests came to in a second, summed over all series that an output doesn't tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import TypeVar

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import ABORTED, Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.outputs.slices import in_slices

__all__ = ["RequestTotals", "is_shown", "is_warmup", "tag_labels", "totals_by"]

Group = TypeVar("Group", bound=Hashable)


def is_shown(labels: Labels) -> bool:
    """Whether samples are requests whose results outputs show; those of a warm-up are marked.

    What is aborted is neither a success nor a failure: `RequestTotals.aborted` counts it.
    """
    return labels.kind == "request" and labels.measured


def is_warmup(labels: Labels) -> bool:
    """Whether samples began outside of the measured time; without them, sums are metrics.json's."""
    return labels.warmup or labels.after


def tag_labels(labels: Labels, keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the tags that are labels, with their values: a plain tag is `true`, none is empty."""
    tags = dict(labels.tags)
    return tuple((key, (tags[key] or "true") if key in tags else "") for key in keys)


class RequestTotals:
    """The sum of some series.

    Attributes:
        count: Requests that ended; aborted ones are not among them.
        failed: Those of them that failed.
        aborted: Requests that the end of a phase cut.
        statuses: How many had each status, in words.
        failures: How many failed for each reason: the failure kind.
        latency: Of those whose latency says anything.
        received: Bytes of replies' bodies; None where another tool sent all and tells none.
        sent: Bytes of requests; None as above.
        recorded: What expressions of the plan recorded, by word: `work`, `metric.tokens`.
    """

    __slots__ = (
        "aborted",
        "count",
        "failed",
        "failures",
        "latency",
        "received",
        "recorded",
        "sent",
        "statuses",
    )

    def __init__(self) -> None:
        self.count = self.failed = self.aborted = 0
        self.received: int | None = None
        self.sent: int | None = None
        self.statuses: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.latency = Histogram()
        self.recorded: dict[str, Histogram] = {}

    def add(self, labels: Labels, delta: SeriesDelta) -> None:
        self.received = labels.plus_told("received", self.received, delta.received)
        self.sent = labels.plus_told("sent", self.sent, delta.sent)
        if labels.failure == ABORTED:
            self.aborted += delta.count
            return
        self.count += delta.count
        self.statuses[labels.status_text] += delta.count
        if labels.failure:
            self.failed += delta.count
            self.failures[labels.failure] += delta.count
        if labels.has_latency:
            self.latency.merge(delta.latency)
        for word in labels.records:
            values = delta.measures.get(word)
            if values is not None and word in self.recorded:
                self.recorded[word].merge(values)
            elif values is not None:
                self.recorded[word] = values.copy()


async def totals_by(
    key: Callable[[Labels], Group], snapshot: Snapshot
) -> dict[Group, RequestTotals]:
    """Return the totals of the requests that outputs show, by what `key` makes of their labels.

    The load goes on between them.
    """
    totals: dict[Group, RequestTotals] = {}
    async for labels, delta in in_slices(snapshot.deltas.items()):
        if is_shown(labels):
            totals.setdefault(key(labels), RequestTotals()).add(labels, delta)
    return totals
