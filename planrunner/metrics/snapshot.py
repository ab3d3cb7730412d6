"""The metrics of one interval as a value, and their running total.

A worker sends snapshots, and the coordinator merges them: those of other workers side by side
(`merge`), those of later intervals end to end (`then`). Both are associative, so neither the number
of workers nor the grouping of intervals shows in a result.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from operator import attrgetter
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.measures import LATENCY, SERVICE_TIME, Measure
from planrunner.metrics.series import ExpectationKey, Labels
from planrunner.values import dataclass

__all__ = ["Accumulated", "SeriesDelta", "SeriesTotal", "Snapshot"]


@dataclass(frozen=True, slots=True)
class SeriesDelta:
    """What the samples of one series added in an interval; its histograms never change.

    Attributes:
        service: The same object as `latency` when each sample's two times were equal, which is
            the usual case and costs no second histogram.
        measures: The values of each further measure that is asked for, by its word; those that no
            sample had are left out.
        broken: How often each expectation did not hold, of those that `Labels.expectations`
            counts; those that always held are left out.
    """

    latency: Histogram
    service: Histogram
    received: int = 0
    sent: int = 0
    connects: int = 0
    retries: int = 0
    measures: Mapping[str, Histogram] = field(default_factory=dict)
    broken: Mapping[ExpectationKey, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return self.latency.count

    def values_of(self, measure: Measure) -> Histogram | None:
        """Return the values of a measure; None where no sample has one, or nobody asked."""
        return _values_of(self, measure)

    def plus(self, other: SeriesDelta) -> SeriesDelta:
        """Return the sum of two intervals, or of two parts of one."""
        return _sum((self, other))


class SeriesTotal:
    """The sum of deltas; grows with the number of buckets, never with that of samples.

    Attributes:
        first_ns: When the first interval with a sample ended, by the clock; 0 for a sum of parts.
        last_ns: When the last one did.
    """

    __slots__ = (
        "broken",
        "connects",
        "first_ns",
        "last_ns",
        "latency",
        "measures",
        "received",
        "retries",
        "sent",
        "service",
    )

    def __init__(self, first_ns: int = 0) -> None:
        self.first_ns = self.last_ns = first_ns
        self.latency = self.service = Histogram()
        self.measures: dict[str, Histogram] = {}
        self.broken: dict[ExpectationKey, int] = {}
        self.received = self.sent = self.connects = self.retries = 0

    @property
    def count(self) -> int:
        return self.latency.count

    def values_of(self, measure: Measure) -> Histogram | None:
        """Return the values of a measure; None where no sample has one, or nobody asked."""
        return _values_of(self, measure)

    def add(self, other: SeriesDelta | SeriesTotal) -> None:
        if other.service is not other.latency and self.service is self.latency:
            self.service = self.latency.copy()
        self.latency.merge(other.latency)
        if self.service is not self.latency:
            self.service.merge(other.service)
        self.received += other.received
        self.sent += other.sent
        self.connects += other.connects
        self.retries += other.retries
        _add_further(other, self.measures, self.broken)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What happened from `start_ns` to `end_ns` (clock time).

    Attributes:
        users: Virtual users alive at the end, by user class.
        deltas: By label set; those without samples are left out.
    """

    start_ns: int
    end_ns: int
    users: Mapping[str, int] = field(default_factory=dict)
    deltas: Mapping[Labels, SeriesDelta] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Callable[..., Snapshot], tuple[object, ...]]:
        return _unpacked, (self.start_ns, self.end_ns, dict(self.users), *_columns(self.deltas))

    def merge(self, *others: Snapshot) -> Snapshot:
        """Return this and other workers' snapshots of the same interval: users add up."""
        users = dict(self.users)
        for other in others:
            for name, count in other.users.items():
                users[name] = users.get(name, 0) + count
        return self._joined(others, users)

    def then(self, later: Snapshot) -> Snapshot:
        """Return this and the following interval as one: its users are those of the later."""
        return self._joined([later], later.users)

    def relabelled(self, rename: Callable[[Labels], Labels]) -> Snapshot:
        """Return the same under other labels; what then has the same is summed."""
        return replace(self, deltas=_summed((rename(key), one) for key, one in self.deltas.items()))

    def _joined(self, others: Sequence[Snapshot], users: Mapping[str, int]) -> Snapshot:
        joined = (self, *others)
        return Snapshot(
            min(one.start_ns for one in joined),
            max(one.end_ns for one in joined),
            users,
            _summed(pair for one in joined for pair in one.deltas.items()),
        )


class Accumulated:
    """Everything since the start of the run, by label set.

    Attributes:
        totals: Read, don't write; a label set appears with its first sample.
    """

    __slots__ = ("totals",)

    def __init__(self) -> None:
        self.totals: dict[Labels, SeriesTotal] = {}

    def add(self, snapshot: Snapshot) -> None:
        for labels, delta in snapshot.deltas.items():
            total = self.totals.get(labels)
            if total is None:
                total = self.totals[labels] = SeriesTotal(snapshot.end_ns)
            total.add(delta)
            total.last_ns = snapshot.end_ns


def _values_of(found: SeriesDelta | SeriesTotal, measure: Measure) -> Histogram | None:
    if measure == LATENCY:
        return found.latency
    return found.service if measure == SERVICE_TIME else found.measures.get(measure.word)


_MOST: Final = {"B": (1 << 8) - 1, "H": (1 << 16) - 1, "I": (1 << 32) - 1, "Q": (1 << 64) - 1}

_NUMBERS: Final = attrgetter("received", "sent", "connects", "retries")


_Further = tuple[
    Histogram | None, Histogram | None, Mapping[str, Histogram], Mapping[ExpectationKey, int]
]
"""What few series have: a latency of many values, another service time, measures, and broken."""

_NOTHING_FURTHER: Final[_Further] = (None, None, {}, {})

_LATENCY_FACTS: Final = attrgetter("latency.min", "latency.max", "latency.total")


def _columns(deltas: Mapping[Labels, SeriesDelta]) -> tuple[object, ...]:
    """Return deltas as bytes of all series, one column after the other: objects cost far more."""
    briefs: list[bytes] = []
    numbers: list[int] = []
    further: dict[int, _Further] = {}
    for index, delta in enumerate(deltas.values()):
        brief = delta.latency.brief()
        briefs.append(brief or b"")
        numbers += _NUMBERS(delta)
        latency = delta.latency if brief is None else None
        service = None if delta.service is delta.latency else delta.service
        if latency or service or delta.measures or delta.broken:
            further[index] = (latency, service, delta.measures, delta.broken)
    facts = zip(*map(_LATENCY_FACTS, deltas.values()), strict=True)
    columns = (map(len, briefs), *facts) if deltas else ()
    return (
        tuple(deltas),
        [_packed([*column]) for column in columns],
        b"".join(briefs),
        _packed(numbers),
        further,
    )


def _unpacked(  # noqa: PLR0913, PLR0917 - a snapshot, and the columns of its deltas
    start_ns: int,
    end_ns: int,
    users: Mapping[str, int],
    labels: Sequence[Labels],
    columns: Sequence[Sequence[int]],
    briefs: bytes,
    numbers: Sequence[int],
    further: Mapping[int, _Further],
) -> Snapshot:
    deltas: dict[Labels, SeriesDelta] = {}
    begin = 0
    rows = zip(labels, *columns, strict=True)
    for index, (one, length, smallest, greatest, total) in enumerate(rows):
        latency, service, measures, broken = further.get(index, _NOTHING_FURTHER)
        end = begin + length
        if latency is None:
            latency = Histogram.from_brief(briefs[begin:end], smallest, greatest, total)
        begin = end
        received, sent, connects, retries = numbers[4 * index : 4 * index + 4]
        deltas[one] = SeriesDelta(
            latency, service or latency, received, sent, connects, retries, measures, broken
        )
    return Snapshot(start_ns, end_ns, users, deltas)


def _packed(numbers: Sequence[int]) -> Sequence[int]:
    """Return whole numbers, none negative, in as few bytes each as the greatest needs."""
    greatest = max(numbers, default=0)
    code = next((code for code, most in _MOST.items() if greatest <= most), "")
    return array(code, numbers) if code else numbers


def _summed(deltas: Iterable[tuple[Labels, SeriesDelta]]) -> dict[Labels, SeriesDelta]:
    """Return one delta for each label set: the sum of its own, however many they are."""
    parts: dict[Labels, list[SeriesDelta]] = {}
    for labels, delta in deltas:
        parts.setdefault(labels, []).append(delta)
    return {labels: same[0] if len(same) == 1 else _sum(same) for labels, same in parts.items()}


def _sum(parts: Sequence[SeriesDelta]) -> SeriesDelta:
    """Return all as one; column by column, as there may be as many as there are workers."""
    latency = service = Histogram.sum_of([part.latency for part in parts])
    if any([part.service is not part.latency for part in parts]):  # noqa: C419 - a list is faster
        service = Histogram.sum_of([part.service for part in parts])
    received, sent, connects, retries = map(sum, zip(*map(_NUMBERS, parts), strict=True))
    measures: dict[str, Histogram] = {}
    broken: dict[ExpectationKey, int] = {}
    for part in parts:
        if part.measures or part.broken:
            _add_further(part, measures, broken)
    return SeriesDelta(latency, service, received, sent, connects, retries, measures, broken)


def _add_further(
    part: SeriesDelta | SeriesTotal,
    measures: dict[str, Histogram],
    broken: dict[ExpectationKey, int],
) -> None:
    """Add what most samples have none of."""
    for one, times in part.broken.items():
        broken[one] = broken.get(one, 0) + times
    for word, values in part.measures.items():
        if word in measures:
            measures[word].merge(values)
        else:
            measures[word] = values.copy()
