"""The series of one worker: opened once per label set, drained a few times a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from planrunner.metrics.arrivals import PooledValues
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.limited_words import (
    MOST_NAMES_OF_A_TEMPLATE,
    MOST_TAG_VALUES,
    LimitedWords,
)
from planrunner.metrics.measures import Measure
from planrunner.metrics.series import Labels, Series
from planrunner.metrics.snapshot import SeriesDelta, Snapshot

__all__ = ["OVERFLOW_NAME", "Crowded", "SeriesBook"]

OVERFLOW_NAME = "__overflow__"
"""The request name that stands for all names beyond the cap."""

Crowded = tuple[str, str]
"""`name` or `tag`, and whose: a template of names, or the key of a tag."""

_MAX_NAMES = 500
_MAX_TAG_LENGTH = 100
_MAX_NAME_LENGTH = 200


class SeriesBook:
    """Opens series and turns what the hot path wrote into them into snapshots.

    One event loop owns it: no locks. The lists of a series are emptied in place, so the hot path
    may hold their bound `append`.

    Args:
        start_ns: When the run starts, by its clock: where the first snapshot starts.
        mask: Takes secrets out of what replies say.

    Attributes:
        opened: Every series so far; the position is its `index`.
        overflowed: Whether a request name found no room.
        names: Those that templates of names came to; the key is the template.
        tag_values: Those that came with replies; the key is the tag's.
    """

    __slots__ = (
        "_by_labels",
        "_drained_ns",
        "_mask",
        "_names",
        "names",
        "opened",
        "overflowed",
        "tag_values",
    )

    def __init__(self, start_ns: int = 0, *, mask: Callable[[str], str] = str) -> None:
        self._mask = mask
        self.opened: list[Series] = []
        self.overflowed = False
        self._drained_ns = start_ns
        self._by_labels: dict[Labels, Series] = {}
        self._names: set[str] = set()
        self.names = LimitedWords(MOST_NAMES_OF_A_TEMPLATE)
        self.tag_values = LimitedWords(MOST_TAG_VALUES)

    def series(self, labels: Labels, measures: Sequence[Measure] = ()) -> Series:
        """Return the series of `labels`, the same object every time.

        It is opened with what is recorded of its samples beside latency and service time, which
        is the same for all requests of a protocol.

        The 501st request name and those after it share the name `__overflow__`, and `overflowed`
        says so.
        """
        series = self._by_labels.get(labels)
        if series is not None:
            return series
        if not self._admits(labels.request):
            self.overflowed = True
            return self.series(replace(labels, request=OVERFLOW_NAME), measures)
        series = Series(len(self.opened), labels, measures)
        self.opened.append(series)
        self._by_labels[labels] = series
        return series

    @property
    def crowded(self) -> tuple[Crowded, ...]:
        """What had more words than it may."""
        tags = (("tag", key) for key in self.tag_values.full)
        return (*(("name", template) for template in self.names.full), *tags)

    def tag_value(self, key: str, value: str) -> str:
        """Return the tag value to use for one that a reply gave: at most 20 a key open a series."""
        if self.tag_values.has(key, value):
            return value
        return self.tag_values.admit(key, self._mask(value)[:_MAX_TAG_LENGTH])

    def request_name(self, template: str, name: str) -> str:
        """Return the name to use for one that a template came to: at most 50 open a series."""
        if self.names.has(template, name):
            return name
        name = self._mask(name.strip())[:_MAX_NAME_LENGTH]
        return self.names.admit(template, name) if name else template

    def admitted_name(self, name: str) -> str:
        """Return the name to use for a request that no plan names: at most 500 in all."""
        if name in self._names:
            return name
        name = self._mask(name)[:_MAX_NAME_LENGTH]
        if self._admits(name):
            return name
        self.overflowed = True
        return OVERFLOW_NAME

    def drain(self, now_ns: int, users: Mapping[str, int]) -> Snapshot:
        """Return what came since the last drain, and forget it.

        Args:
            now_ns: By the run's clock.
            users: Virtual users alive now, by user class.
        """
        start_ns, self._drained_ns = self._drained_ns, now_ns
        deltas = {
            series.labels: _drain_series(series)
            for series in self.opened
            if series.same_ns or series.latency_ns
        }
        return Snapshot(start_ns, now_ns, dict(users), deltas)

    def _admits(self, name: str) -> bool:
        if name in self._names or name == OVERFLOW_NAME:
            return True
        if len(self._names) >= _MAX_NAMES:
            return False
        self._names.add(name)
        return True


def _drain_series(series: Series) -> SeriesDelta:
    latency = service = Histogram(_take(series.same_ns))
    if series.latency_ns:
        service = latency.copy()
        latency.record_many(_take(series.latency_ns))
        service.record_many(_take(series.service_ns))
    delta = SeriesDelta(
        latency,
        service,
        series.received,
        series.sent,
        series.connects,
        series.retries,
        _drain_measures(series),
        dict(series.broken),
    )
    series.received = series.sent = series.connects = series.retries = 0
    series.broken.clear()
    return delta


def _drain_measures(series: Series) -> dict[str, Histogram]:
    found = {
        word: values.drain() if isinstance(values, PooledValues) else Histogram(_take(values))
        for word, values in series.measures.items()
        if values
    }
    for word, recording in series.recorded.items():
        if recording.values:
            found[word] = recording.drain()
    return found


def _take(values: list[int]) -> list[int]:
    # In place and by length, so that nothing appended meanwhile is lost.
    taken = values[:]
    del values[: len(taken)]
    return taken
