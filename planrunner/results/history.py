"""The run second by second, in bounded memory: its points, and what it had come to by then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from typing import Final, NamedTuple

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.snapshot import InPhase, Snapshot
from planrunner.results.model import Point
from planrunner.results.record import PROGRESS_LATENCIES, PROGRESS_PERCENTILES, PhaseProgress
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["History", "RunningTotals", "latency_summary"]

_MAX_POINTS = 600


class _PointPlace(NamedTuple):
    """What a point is about: interval `number` of `History.step_seconds`, a phase, warm-up."""

    number: int
    phase: str
    warmup: bool


@dataclass(slots=True)
class _PointSlot:
    """Sums of one point; `latency` is a packed histogram, a tenth of the size of a live one."""

    users: int
    requests: int
    failed: int
    latency: bytes
    failures: Mapping[str, int]

    def add(self, later: _PointSlot) -> None:
        latency = Histogram.from_bytes(self.latency)
        latency.merge(Histogram.from_bytes(later.latency))
        self.latency = latency.to_bytes()
        self.users = later.users
        self.requests += later.requests
        self.failed += later.failed
        self.failures = Counter(self.failures) + Counter(later.failures)


class History:
    """Collects snapshots into at most `limit` points.

    When there are more, the interval of all points doubles and neighbours become one: percentiles
    stay exact to a bucket, as the histograms are merged and not the percentiles.

    Args:
        start_ns: When the run started, by its clock.
        limit: Only a run with more phases than this has more points.
    """

    __slots__ = ("_last", "_limit", "_slots", "_start_ns", "_step_seconds")

    def __init__(self, start_ns: int, *, limit: int = _MAX_POINTS) -> None:
        self._start_ns = start_ns
        self._limit = limit
        self._step_seconds = 1
        self._slots: dict[_PointPlace, _PointSlot] = {}
        self._last: tuple[InPhase, ...] = (InPhase("", warmup=False),)

    def add(self, snapshot: Snapshot) -> None:
        """Add an interval, in order of time; a second or less.

        An interval without a finished request counts for the phases of the one before: a target
        that stalls shows as zero, not as a gap.
        """
        found = _by_phase(snapshot)
        if found:
            self._last = tuple(found)
        # The middle decides, so that a snapshot taken a little late stays in its second.
        middle_ns = (snapshot.start_ns + snapshot.end_ns) // 2 - self._start_ns
        number = max(middle_ns // (self._step_seconds * NS_PER_S), 0)
        users = sum(snapshot.users.values())
        for key in self._last:
            slot = found.get(key) or _PointSlot(0, 0, 0, _NO_LATENCY, {})
            slot.users = users
            _put(self._slots, _PointPlace(number, *key), slot)
        while len(self._slots) > self._limit and self._fold():
            pass

    def points(self) -> tuple[Point, ...]:
        """Return the points in order of time."""
        return tuple(_point(place, slot, self._step_seconds) for place, slot in self._slots.items())

    def _fold(self) -> bool:
        """Double the interval; false when one already covers the whole run."""
        if all(place.number == 0 for place in self._slots):
            return False
        folded: dict[_PointPlace, _PointSlot] = {}
        for place, slot in self._slots.items():
            _put(folded, place._replace(number=place.number // 2), slot)
        self._slots = folded
        self._step_seconds *= 2
        return True


_NO_LATENCY = Histogram().to_bytes()


def _put(slots: dict[_PointPlace, _PointSlot], place: _PointPlace, slot: _PointSlot) -> None:
    if place in slots:
        slots[place].add(slot)
    else:
        slots[place] = slot


def _by_phase(snapshot: Snapshot) -> dict[InPhase, _PointSlot]:
    """The results of a snapshot, warm-up included, by phase and warm-up."""
    counts: Counter[InPhase] = Counter()
    failures: dict[InPhase, Counter[str]] = {}
    for labels, delta in snapshot.deltas.items():
        if labels.kind != "request" or not labels.is_told_over_time:
            continue
        key = InPhase(labels.phase, labels.warmup)
        counts[key] += delta.count
        found = failures.setdefault(key, Counter())
        if labels.failure:
            found[labels.failure] += delta.count
    latencies = snapshot.latencies_of_phases
    return {
        key: _PointSlot(
            0,
            counts[key],
            failed.total(),
            latencies[key].to_bytes() if key in latencies else _NO_LATENCY,
            failed,
        )
        for key, failed in sorted(failures.items())
    }


def latency_summary(latency: Histogram) -> tuple[int, ...]:
    """Return the 50th, 95th and 99th percentile in nanoseconds; zeros where nothing has any."""
    return latency.percentiles((50, 95, 99)) if latency.count else (0, 0, 0)


def _point(place: _PointPlace, slot: _PointSlot, step_seconds: int) -> Point:
    latency = Histogram.from_bytes(slot.latency)
    p50_ns, p95_ns, p99_ns = latency_summary(latency)
    return Point(
        second=(place.number + 1) * step_seconds,
        phase=place.phase,
        warmup=place.warmup,
        users=slot.users,
        requests=slot.requests,
        failed=slot.failed,
        p50_ns=p50_ns,
        p95_ns=p95_ns,
        p99_ns=p99_ns,
        seconds=step_seconds,
        failures=dict(sorted(slot.failures.items())),
    )


_ALL: Final = ""


@dataclass(frozen=True, slots=True)
class _PhaseStanding:
    """The sums at the end of an interval; `latency_ns` in the order of `PROGRESS_LATENCIES`."""

    users: int
    requests: int
    failed: int
    received: int | None
    latency_ns: tuple[int, ...]


@dataclass(slots=True)
class _PhaseSum:
    """The sums of a phase so far, and what they were."""

    latency: Histogram = field(default_factory=Histogram)
    requests: int = 0
    failed: int = 0
    received: int | None = None
    standings: dict[int, _PhaseStanding] = field(default_factory=dict)

    def note(self, number: int, users: int) -> None:
        latency_ns = (0,) * len(PROGRESS_LATENCIES)
        if self.latency.count:
            exact = (round(self.latency.mean), self.latency.min, self.latency.max)
            latency_ns = (*exact, *self.latency.percentiles(PROGRESS_PERCENTILES))
        self.standings[number] = _PhaseStanding(
            users, self.requests, self.failed, self.received, latency_ns
        )


class RunningTotals:
    """Sums up snapshots, and keeps at most `limit` standings of each phase; results only.

    When the run is longer, the interval doubles and of two standings the later one stays.

    Args:
        start_ns: When the run started, by its clock.
    """

    __slots__ = ("_interval_s", "_last", "_limit", "_phases", "_start_ns")

    def __init__(self, start_ns: int, *, limit: int = _MAX_POINTS) -> None:
        self._start_ns = start_ns
        self._limit = limit
        self._interval_s = 1
        self._phases: dict[str, _PhaseSum] = {}
        self._last: frozenset[str] = frozenset()

    def add(self, snapshot: Snapshot) -> None:
        """Add an interval, in order of time; a second or less.

        An interval without a finished request counts for the phases of the one before.
        """
        # The middle decides, so that a snapshot taken a little late stays in its second.
        middle_ns = (snapshot.start_ns + snapshot.end_ns) // 2 - self._start_ns
        second = max(middle_ns // NS_PER_S, 0)
        while second // self._interval_s >= self._limit:
            self._fold()
        self._last = self._sum_up(snapshot) or self._last
        for name in self._last:
            self._phases[name].note(second // self._interval_s, sum(snapshot.users.values()))

    def progress(self) -> tuple[PhaseProgress, ...]:
        """Return all phases together, then each; the one phase where there is no other."""
        names = [name for name in self._phases if name != _ALL]
        if len(names) > 1:
            names.insert(0, _ALL)
        return tuple(_progress(name, self._phases[name], self._interval_s) for name in names)

    def _sum_up(self, snapshot: Snapshot) -> frozenset[str]:
        phases: set[str] = set()
        for labels, delta in snapshot.deltas.items():
            if labels.kind != "request" or not labels.is_result:
                continue
            phases.add(labels.phase)
            for name in (_ALL, labels.phase):
                phase = self._phases.setdefault(name, _PhaseSum())
                phase.requests += delta.count
                phase.failed += delta.count if labels.failure else 0
                phase.received = labels.plus_told("received", phase.received, delta.received)
        for (name, warmup), latency in snapshot.latencies_of_phases.items():
            if not warmup:
                self._phases[_ALL].latency.merge(latency)
                self._phases[name].latency.merge(latency)
        return frozenset((_ALL, *phases) if phases else ())

    def _fold(self) -> None:
        for phase in self._phases.values():
            phase.standings = {number // 2: one for number, one in phase.standings.items()}
        self._interval_s *= 2


def _progress(name: str, phase: _PhaseSum, interval_s: int) -> PhaseProgress:
    standings = phase.standings.values()
    columns = zip(*(one.latency_ns for one in standings), strict=True)
    return PhaseProgress(
        phase=name,
        interval_seconds=interval_s,
        seconds=tuple((number + 1) * interval_s for number in phase.standings),
        users=tuple(one.users for one in standings),
        requests=tuple(one.requests for one in standings),
        failed=tuple(one.failed for one in standings),
        received_bytes=tuple(one.received for one in standings),
        latency_ns=dict(zip(PROGRESS_LATENCIES, columns, strict=True)),
    )
