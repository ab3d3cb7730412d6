"""Seconds of a run → counters and histograms by the labels that Prometheus sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import add
from typing import Final

from planrunner.metrics.series import ABORTED, Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.outputs.labelled import LABELS, LabelTexts, SampleLabels
from planrunner.outputs.slices import in_slices
from planrunner.outputs.totals import is_shown
from planrunner.values import dataclass

__all__ = ["Durations", "RequestTally", "free_names"]

_PLAN, _STATUS, _KIND, _BUCKET = "plan", "status", "kind", "le"

_OTHER_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class Durations:
    """A histogram as Prometheus has it.

    Attributes:
        at_most: How many latencies are at most as long as each bound.
    """

    at_most: tuple[int, ...]
    count: int
    total_ns: int

    def plus(self, other: Durations) -> Durations:
        return Durations(
            tuple(map(add, self.at_most, other.at_most)),
            self.count + other.count,
            self.total_ns + other.total_ns,
        )


@dataclass(frozen=True, slots=True)
class _CountedAs:
    """Where the samples of a label set count: as requests, as errors, and with their latencies."""

    request: LabelTexts
    error: LabelTexts | None
    duration: LabelTexts | None


class RequestTally:
    """Sums of everything since the start of the run; its values are replaced, never changed.

    Attributes:
        request_names: The labels of `requests`.
        error_names: Those of `errors`.
        duration_names: Those of `durations`, which have no status: a histogram has many series.
    """

    def __init__(
        self,
        plan: str,
        *,
        tags: Sequence[str],
        buckets_ns: Sequence[int],
        mask: Callable[[str], str],
    ) -> None:
        self._plan, self._buckets_ns = plan, buckets_ns
        self._labels = SampleLabels(tags, mask)
        taken = (_PLAN, *LABELS, _KIND, _BUCKET)
        self.request_names = (_PLAN, *LABELS, *free_names(tags, taken=taken, prefix="tag_"))
        self._status_at = self.request_names.index(_STATUS)
        self.error_names = (*self.request_names, _KIND)
        self.duration_names = self._without_status(self.request_names)
        self.requests: dict[LabelTexts, int] = {}
        self.errors: dict[LabelTexts, int] = {}
        self.durations: dict[LabelTexts, Durations] = {}
        self._places: dict[Labels, _CountedAs] = {}

    @property
    def size(self) -> int:
        """How many series there are."""
        return len(self.requests) + len(self.errors) + len(self.durations)

    async def add(self, snapshot: Snapshot) -> None:
        """Take in what happened in an interval, while the load goes on."""
        async for labels, delta in in_slices(snapshot.deltas.items()):
            if is_shown(labels) and labels.failure != ABORTED:
                place = self._places.get(labels)
                if place is None:
                    place = self._places[labels] = self._place(labels)
                self._count(place, delta)

    def _count(self, place: _CountedAs, delta: SeriesDelta) -> None:
        self.requests[place.request] = self.requests.get(place.request, 0) + delta.count
        if place.error is not None:
            self.errors[place.error] = self.errors.get(place.error, 0) + delta.count
        if place.duration is not None:
            latency = delta.latency
            new = Durations(latency.counts_at_most(self._buckets_ns), latency.count, latency.total)
            before = self.durations.get(place.duration)
            self.durations[place.duration] = new if before is None else before.plus(new)

    def _place(self, labels: Labels) -> _CountedAs:
        request = (self._plan, *self._labels.of(labels))
        return _CountedAs(
            request,
            (*request, labels.failure) if labels.failure else None,
            self._without_status(request) if labels.has_latency else None,
        )

    def _without_status(self, texts: LabelTexts) -> LabelTexts:
        return texts[: self._status_at] + texts[self._status_at + 1 :]


def free_names(names: Iterable[str], *, taken: Iterable[str], prefix: str) -> Mapping[str, str]:
    """Return a label name for each name, and the name; what is taken or no name gets the prefix.

    Source: Prometheus, "Metric names and labels"; names that begin with `__` are reserved.
    """
    used, found = set(taken), dict[str, str]()
    for name in names:
        label = _OTHER_CHARACTER.sub("_", name)
        if label in used or label.startswith("__") or not label.isidentifier():
            label = prefix + label
        while label in used:
            label += "_"
        used.add(label)
        found[label] = name
    return found
