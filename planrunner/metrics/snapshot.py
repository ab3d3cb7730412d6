"""The metrics of one interval as a value, and their running total.

A worker sends snapshots, and the coordinator merges them: those of other workers side by side
(`merge`), those of later intervals end to end (`then`). Both are associative, so neither the number
of workers nor the grouping of intervals shows in a result.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import Final, NamedTuple, TypeVar

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.measures import LATENCY, SERVICE_TIME, Measure
from planrunner.metrics.series import ExpectationKey, Labels
from planrunner.values import dataclass

__all__ = [
    "Accumulated",
    "InPhase",
    "InRequest",
    "LabelSets",
    "SeriesDelta",
    "SeriesTotal",
    "Snapshot",
    "packed",
]


class InPhase(NamedTuple):
    """Requests of a phase, in its warm-up or after it."""

    phase: str
    warmup: bool


class InRequest(NamedTuple):
    """The same of one name."""

    phase: str
    warmup: bool
    request: str


_LatencyKey = TypeVar("_LatencyKey", InPhase, InRequest)


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


class _SummedOnce:
    """Keeps sums that several tables and charts are made of."""

    __slots__ = ("_of_phases", "_of_requests")

    _of_phases: Mapping[InPhase, Histogram]
    _of_requests: Mapping[InRequest, Histogram]


@dataclass(frozen=True, slots=True)
class Snapshot(_SummedOnce):
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

    @property
    def latencies(self) -> Mapping[InRequest, Histogram]:
        """How long the requests took that are told over time, where that says anything."""
        try:
            return self._of_requests
        except AttributeError:
            of_requests = _summed_latencies(
                (InRequest(labels.phase, labels.warmup, labels.request), delta.latency)
                for labels, delta in self.deltas.items()
                if labels.kind == "request" and labels.is_told_over_time and labels.has_latency
            )
            object.__setattr__(self, "_of_requests", of_requests)
            return of_requests

    @property
    def latencies_of_phases(self) -> Mapping[InPhase, Histogram]:
        """The same of all requests of a phase."""
        try:
            return self._of_phases
        except AttributeError:
            of_phases = _summed_latencies(
                (InPhase(key.phase, key.warmup), latency) for key, latency in self.latencies.items()
            )
            object.__setattr__(self, "_of_phases", of_phases)
            return of_phases

    def relabelled(self, rename: Callable[[Labels], Labels]) -> Snapshot:
        """Return the same under other labels; what then has the same is summed."""
        return replace(
            self, deltas=_summed((rename(key), one) for key, one in _parts_of(self.deltas))
        )

    def _joined(self, others: Sequence[Snapshot], users: Mapping[str, int]) -> Snapshot:
        joined = (self, *others)
        return Snapshot(
            min(one.start_ns for one in joined),
            max(one.end_ns for one in joined),
            users,
            _summed(pair for one in joined for pair in _parts_of(one.deltas)),
        )


def _summed_latencies(
    latencies: Iterable[tuple[_LatencyKey, Histogram]],
) -> Mapping[_LatencyKey, Histogram]:
    parts: dict[_LatencyKey, list[Histogram]] = {}
    for key, latency in latencies:
        parts.setdefault(key, []).append(latency)
    return {key: Histogram.sum_of(same) for key, same in parts.items()}


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

_NAMES: Final = ("received", "sent", "connects", "retries")

_NUMBERS: Final = attrgetter(*_NAMES)


_Further = tuple[
    Histogram | None, Histogram | None, Mapping[str, Histogram], Mapping[ExpectationKey, int]
]
"""What few series have: a latency of many values, another service time, measures, and broken."""

_DeltaRow = tuple[bytes, int, int, int, int, int, int, int]
"""A delta without these: each value in brief, least, greatest and sum of them, and `_NUMBERS`."""

_DeltaPart = SeriesDelta | _DeltaRow

_ROW: Final = attrgetter("latency.min", "latency.max", "latency.total", *_NAMES)


class LabelSets(tuple[Labels, ...]):
    """The label sets of a snapshot, which are the same in most: connections send them once."""

    __slots__ = ()


def _columns(deltas: Mapping[Labels, SeriesDelta]) -> tuple[object, ...]:
    """Return deltas as bytes of all series, one column after the other: objects cost far more."""
    briefs: list[bytes] = []
    further: dict[int, _Further] = {}
    for index, delta in enumerate(deltas.values()):
        brief = delta.latency.brief()
        briefs.append(brief or b"")
        latency = delta.latency if brief is None else None
        service = None if delta.service is delta.latency else delta.service
        if latency or service or delta.measures or delta.broken:
            further[index] = (latency, service, delta.measures, delta.broken)
    columns = (map(len, briefs), *zip(*map(_ROW, deltas.values()), strict=True)) if deltas else ()
    return LabelSets(deltas), [packed([*column]) for column in columns], b"".join(briefs), further


def _unpacked(  # noqa: PLR0913, PLR0917 - a snapshot, and the columns of its deltas
    start_ns: int,
    end_ns: int,
    users: Mapping[str, int],
    labels: LabelSets,
    columns: Sequence[Sequence[int]],
    briefs: bytes,
    further: Mapping[int, _Further],
) -> Snapshot:
    lengths, *numbers = columns or [()]
    ends = accumulate(lengths, initial=0)
    parts: list[_DeltaPart] = [
        *zip([briefs[begin:end] for begin, end in pairwise(ends)], *numbers, strict=True)
    ]
    for index, (many, service, measures, broken) in further.items():
        delta = _joined([parts[index]])
        latency = many or delta.latency
        parts[index] = replace(
            delta, latency=latency, service=service or latency, measures=measures, broken=broken
        )
    return Snapshot(start_ns, end_ns, users, _ReceivedDeltas(labels, parts))


class _ReceivedDeltas(Mapping[Labels, SeriesDelta]):
    """Deltas as they came, which are made when they are read: most are summed up before."""

    __slots__ = ("_labels", "_made", "_parts")

    def __init__(self, labels: LabelSets, parts: Sequence[_DeltaPart]) -> None:
        self._parts = parts
        self._labels = labels
        self._made: dict[Labels, SeriesDelta] = {}

    def _all(self) -> Mapping[Labels, SeriesDelta]:
        if len(self._made) < len(self._labels):
            self._made = _summed(self.pairs())
        return self._made

    def pairs(self) -> Iterable[tuple[Labels, _DeltaPart]]:
        return zip(self._labels, self._parts, strict=True)

    def __getitem__(self, labels: Labels) -> SeriesDelta:
        return self._all()[labels]

    def __iter__(self) -> Iterator[Labels]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)


def packed(numbers: Sequence[int]) -> Sequence[int]:
    """Return whole numbers, none negative, in as few bytes each as the greatest needs."""
    greatest = max(numbers, default=0)
    code = next((code for code, most in _MOST.items() if greatest <= most), "")
    return array(code, numbers) if code else numbers


def _parts_of(deltas: Mapping[Labels, SeriesDelta]) -> Iterable[tuple[Labels, _DeltaPart]]:
    return deltas.pairs() if isinstance(deltas, _ReceivedDeltas) else deltas.items()


def _summed(parts: Iterable[tuple[Labels, _DeltaPart]]) -> dict[Labels, SeriesDelta]:
    """Return one delta for each label set: the sum of its own, however many they are."""
    found: dict[Labels, list[_DeltaPart]] = {}
    for labels, part in parts:
        same = found.get(labels)  # labels are hashed once
        if same is None:
            found[labels] = [part]
        else:
            same.append(part)
    return {labels: _joined(same) for labels, same in found.items()}


def _joined(parts: Sequence[_DeltaPart]) -> SeriesDelta:
    rows = [part for part in parts if isinstance(part, tuple)]
    deltas = [part for part in parts if isinstance(part, SeriesDelta)]
    if rows:
        deltas.append(_of_rows(rows))
    return deltas[0] if len(deltas) == 1 else _sum(deltas)


def _of_rows(rows: Sequence[_DeltaRow]) -> SeriesDelta:
    """Return the sum of rows; column by column, as there may be as many as there are workers."""
    briefs, smallest, greatest, totals, *numbers = zip(*rows, strict=True)
    latency = Histogram.from_brief(b"".join(briefs), min(smallest), max(greatest), sum(totals))
    received, sent, connects, retries = map(sum, numbers)
    return SeriesDelta(latency, latency, received, sent, connects, retries)


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
