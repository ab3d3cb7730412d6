"""Each request over time, in bounded memory: what comparisons of two runs resample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.measures import OWN_PREFIX, WORK
from planrunner.metrics.recorded_values import MILLIONTHS
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.results.history import History, RunningTotals, latency_summary
from planrunner.results.record import MetricPoints, RequestPoints
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["RequestHistory", "RunSums"]

_MOST_POINTS: Final = 600
_MOST_REQUESTS: Final = 100
"""Plans with more names than that have random parts in them; the rest has its place in tables."""

_ALL: Final = ""

_MOST_OUTCOMES: Final = 8
"""Statuses and failures of a request that have numbers of their own, the most frequent ones."""

_REST: Final = "other"

_CountAndTotal = tuple[int, int]


@dataclass(slots=True)
class _Slot:
    """One interval of one request; `latency` is a packed histogram."""

    requests: int
    failed: int
    latency: bytes
    statuses: Mapping[str, int]
    failures: Mapping[str, int]
    asked: int
    broken: int
    recorded: Mapping[str, _CountAndTotal]

    def add(self, later: _Slot) -> None:
        latency = Histogram.from_bytes(self.latency)
        latency.merge(Histogram.from_bytes(later.latency))
        self.latency = latency.to_bytes()
        self.requests += later.requests
        self.failed += later.failed
        self.statuses = Counter(self.statuses) + Counter(later.statuses)
        self.failures = Counter(self.failures) + Counter(later.failures)
        self.asked += later.asked
        self.broken += later.broken
        self.recorded = _joined(self.recorded, later.recorded)


@dataclass(slots=True)
class _OpenSlot:
    """An interval of one request while its series are summed up."""

    statuses: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    broken: int = 0
    recorded: Mapping[str, _CountAndTotal] = field(default_factory=dict)

    def add(self, labels: Labels, delta: SeriesDelta) -> None:
        self.statuses[labels.status_text] += delta.count
        if labels.failure:
            self.failures[labels.failure_text] += delta.count
        self.asked += labels.expectations * delta.count
        self.broken += sum(delta.broken.values())
        if labels.records:
            found = {word: delta.measures.get(word) for word in labels.records}
            taken = {
                word: (0, 0) if values is None else (values.count, values.total)
                for word, values in found.items()
            }
            self.recorded = _joined(self.recorded, taken)

    def closed(self, latency: Histogram) -> _Slot:
        return _Slot(
            self.statuses.total(),
            self.failures.total(),
            latency.to_bytes(),
            dict(self.statuses),
            dict(self.failures),
            self.asked,
            self.broken,
            self.recorded,
        )


def _joined(
    one: Mapping[str, _CountAndTotal], other: Mapping[str, _CountAndTotal]
) -> Mapping[str, _CountAndTotal]:
    """Return the values of two intervals, or series, together."""
    if not (one and other):
        return one or other
    pairs = {word: (one.get(word, (0, 0)), other.get(word, (0, 0))) for word in {**one, **other}}
    return {word: (a[0] + b[0], a[1] + b[1]) for word, (a, b) in pairs.items()}


class RequestHistory:
    """Collects snapshots into at most `limit` intervals for each request; results only.

    When the run is longer, the interval of all doubles and neighbours become one.

    Args:
        start_ns: When the run started, by its clock.
    """

    __slots__ = ("_interval_s", "_limit", "_requests", "_start_ns")

    def __init__(self, start_ns: int, *, limit: int = _MOST_POINTS) -> None:
        self._start_ns = start_ns
        self._limit = limit
        self._interval_s = 1
        self._requests: dict[str, dict[int, _Slot]] = {_ALL: {}}

    def add(self, snapshot: Snapshot) -> None:
        """Add an interval, in order of time; a second or less."""
        # The middle decides, so that a snapshot taken a little late stays in its second.
        middle_ns = (snapshot.start_ns + snapshot.end_ns) // 2 - self._start_ns
        second = max(middle_ns // NS_PER_S, 0)
        while second // self._interval_s >= self._limit:
            self._fold()
        number = second // self._interval_s
        for name, slot in _by_request(snapshot).items():
            slots = self._requests.get(name)
            if slots is None:
                if len(self._requests) > _MOST_REQUESTS:
                    continue
                slots = self._requests[name] = {}
            _put(slots, number, slot)

    def points(self) -> tuple[RequestPoints, ...]:
        """Return all requests together, then each by name."""
        return tuple(
            _points(name, self._requests[name], self._interval_s)
            for name in sorted(self._requests)
            if self._requests[name]
        )

    def _fold(self) -> None:
        for name, slots in self._requests.items():
            folded: dict[int, _Slot] = {}
            for number, slot in slots.items():
                _put(folded, number // 2, slot)
            self._requests[name] = folded
        self._interval_s *= 2


def _put(slots: dict[int, _Slot], number: int, slot: _Slot) -> None:
    if number in slots:
        slots[number].add(slot)
    else:
        slots[number] = slot


def _by_request(snapshot: Snapshot) -> dict[str, _Slot]:
    found: dict[str, _OpenSlot] = {}
    for labels, delta in snapshot.deltas.items():
        if labels.kind != "request" or not labels.is_result:
            continue
        for name in (_ALL, labels.request):
            found.setdefault(name, _OpenSlot()).add(labels, delta)
    latencies: dict[str, list[Histogram]] = {name: [] for name in found}
    for in_phase, latency in snapshot.latencies_of_phases.items():
        if not in_phase.warmup:
            latencies[_ALL].append(latency)
    for in_request, latency in snapshot.latencies.items():
        if not in_request.warmup:
            latencies[in_request.request].append(latency)
    return {name: slot.closed(Histogram.sum_of(latencies[name])) for name, slot in found.items()}


def _points(name: str, slots: dict[int, _Slot], interval_s: int) -> RequestPoints:
    numbers = sorted(slots)
    summaries = [latency_summary(Histogram.from_bytes(slots[number].latency)) for number in numbers]
    p50_ns, p95_ns, p99_ns = zip(*summaries, strict=True)
    has_expectations = any(slot.asked for slot in slots.values())
    recorded = _recorded([slots[number].recorded for number in numbers])
    work = recorded.pop(WORK.word, None)
    return RequestPoints(
        name=name,
        interval_seconds=interval_s,
        seconds=tuple((number + 1) * interval_s for number in numbers),
        requests=tuple(slots[number].requests for number in numbers),
        failed=tuple(slots[number].failed for number in numbers),
        p50_ns=p50_ns,
        p95_ns=p95_ns,
        p99_ns=p99_ns,
        statuses=_by_outcome([slots[number].statuses for number in numbers]),
        failures=_by_outcome([slots[number].failures for number in numbers]),
        asked=tuple(slots[number].asked for number in numbers) if has_expectations else (),
        broken=tuple(slots[number].broken for number in numbers) if has_expectations else (),
        work=work.total if work is not None else (),
        metrics=recorded,
    )


def _recorded(found: Sequence[Mapping[str, _CountAndTotal]]) -> dict[str, MetricPoints]:
    """Return work, by its word, and metrics, by their names, interval by interval."""
    words = sorted({word for one in found for word in one})
    columns = {word: [one.get(word, (0, 0)) for one in found] for word in words}
    return {
        word.removeprefix(OWN_PREFIX): MetricPoints(
            tuple(count for count, _ in column), tuple(total / MILLIONTHS for _, total in column)
        )
        for word, column in columns.items()
        if word == WORK.word or any(count for count, _ in column)
    }


def _by_outcome(counts: Sequence[Mapping[str, int]]) -> Mapping[str, tuple[int, ...]]:
    """Return the counts of each outcome, those of rare ones together; none without any."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    often = [name for name, _ in sorted(total.items(), key=lambda item: (-item[1], item[0]))]
    if len(often) > _MOST_OUTCOMES:
        often = often[: _MOST_OUTCOMES - 1]
    named = {name: tuple(one.get(name, 0) for one in counts) for name in sorted(often)}
    if len(often) == len(total):
        return named
    rest = tuple(sum(count for name, count in one.items() if name not in named) for one in counts)
    return named | {_REST: rest}


class RunSums:
    """Everything that tables and charts are made of, in bounded memory.

    Args:
        start_ns: When the run started, by its clock.

    Attributes:
        total: All samples by label set.
        history: The same second by second.
        requests: Each request over time.
        running: What each phase had come to over time.
    """

    def __init__(self, start_ns: int) -> None:
        self.total = Accumulated()
        self.history = History(start_ns)
        self.requests = RequestHistory(start_ns)
        self.running = RunningTotals(start_ns)

    def add(self, snapshot: Snapshot) -> None:
        """Add an interval, in order of time; a second or less."""
        self.total.add(snapshot)
        self.history.add(snapshot)
        self.requests.add(snapshot)
        self.running.add(snapshot)
