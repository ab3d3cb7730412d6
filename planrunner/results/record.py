"""What metrics.json keeps of a run beside its tables: every series, time by time, and examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, fields
from typing import Any, Final

from planrunner.errors import UsageError
from planrunner.metrics.amounts import Unit
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.measures import Measure
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, SeriesTotal
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "PROGRESS_LATENCIES",
    "PROGRESS_PERCENTILES",
    "Buckets",
    "ExpectationCount",
    "FailingSample",
    "MeasureValues",
    "PhaseProgress",
    "RecordedMeasure",
    "RequestPoints",
    "SearchStep",
    "SeriesRecord",
    "Stretch",
    "Track",
    "labels_of",
    "make_measures",
    "make_series",
    "make_stretches",
    "make_tracks",
    "measured_of",
    "read_series",
]

PROGRESS_PERCENTILES: Final = (50, 66, 75, 80, 90, 95, 98, 99, 99.9, 99.99)
"""Those that tables of load over time have; the 100th is the maximum."""

PROGRESS_LATENCIES: Final = (
    *("avg", "min", "max"),
    *(f"p{percent:g}" for percent in PROGRESS_PERCENTILES),
)
_MOST_POINTS: Final = 600


@dataclass(frozen=True, slots=True)
class Buckets:
    """A histogram of nanoseconds: exact facts, and its buckets.

    Attributes:
        buckets: Flat: how many buckets further, how many values in it, and so on. Bucket b is the
            upper half of an IEEE 754 single: 128 sub-buckets an octave.
    """

    min_ns: int
    max_ns: int
    total_ns: int
    buckets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RecordedMeasure:
    """What thresholds ask for of samples beside latency and service time.

    Attributes:
        name: As thresholds call it: `ttfb`.
        unit: Of its values in `series`: `ns`, `bytes` or `number`.
        protocols: Those whose requests have it.
    """

    name: str
    unit: str
    protocols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeasureValues:
    """A histogram of a measure: exact facts in its unit, and buckets as those of latencies."""

    min: int
    max: int
    total: int
    buckets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """All samples that share every label; tables and thresholds are made of nothing else.

    Attributes:
        kind: `request`, `iteration` or `group`.
        groups: The groups around the step, outermost first.
        tags: Pairs of key and value; the value of a plain tag is empty.
        status: 0 where no reply arrived.
        failure: The failure kind, empty for successes, `aborted` for what a phase's end cut.
        measured: False for traffic that is no result.
        service: One histogram of service times; none where they equal the latencies.
        protocol: What sent them: `http`, `etcd`; empty for iterations and groups.
        status_name: The status in its protocol's words: `NOT_FOUND`; empty where it is a number.
        measures: The values of each recorded measure, by its name; those without any are left out.
        after: True for requests sent when the measured time was over.
        template: The name as the plan writes it, where that has expressions; else empty.
        first_second: From the start of the run, the end of the first interval that had one of the
            samples; 0 where it isn't known, and so `last_second`.
    """

    request: str
    method: str
    kind: str
    phase: str
    stage: str
    user: str
    task: str
    warmup: bool
    measured: bool
    status: int
    failure: str
    groups: tuple[str, ...]
    tags: tuple[tuple[str, ...], ...]
    received_bytes: int
    sent_bytes: int
    connects: int
    retries: int
    latency: Buckets
    service: tuple[Buckets, ...] = ()
    protocol: str = ""
    status_name: str = ""
    measures: Mapping[str, MeasureValues] = field(default_factory=dict)
    after: bool = False
    first_second: float = 0.0
    last_second: float = 0.0
    template: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time of a stage that counts: after warm-up, before graceful stop; from the run's start."""

    phase: str
    stage: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class RequestPoints:
    """One request over time, warm-up left out; the lists run in step.

    Attributes:
        name: Of the request; empty for all requests together.
        interval_seconds: What each number is about: so long, up to that of `seconds`.
        seconds: From the start of the run, the end of each interval with a finished request.
        p50_ns: 0 where nothing had a latency, and so the other percentiles.
        statuses: Requests by status code, `0` where no reply came; rare ones together as `other`.
        failures: Failed requests by status code where that is what failed them, else by failure
            kind; rare ones together as `other`.
    """

    name: str
    interval_seconds: int
    seconds: tuple[int, ...]
    requests: tuple[int, ...]
    failed: tuple[int, ...]
    p50_ns: tuple[int, ...]
    p95_ns: tuple[int, ...]
    p99_ns: tuple[int, ...]
    statuses: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    failures: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhaseProgress:
    """What the requests of a phase had come to by the end of each interval; results only.

    The lists run in step.

    Attributes:
        phase: Empty for all phases together, which a run with one phase leaves out.
        interval_seconds: How far apart the intervals are, but for those in which nothing ran.
        seconds: From the start of the run, the end of each interval.
        users: Virtual users alive at its end, those of all phases.
        requests: That had ended by then, failed ones included.
        latency_ns: By the names of `PROGRESS_LATENCIES`; 0 before the first one.
    """

    phase: str
    interval_seconds: int
    seconds: tuple[int, ...]
    users: tuple[int, ...]
    requests: tuple[int, ...]
    failed: tuple[int, ...]
    received_bytes: tuple[int, ...]
    latency_ns: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Track:
    """Something measured beside the requests, over time: of a service, a monitor, the generator.

    Attributes:
        name: As thresholds call it: `service.api.cpu`, `monitor.queue`, `generator.loop_lag`.
        seconds: From the start of the run; `values` runs in step with it.
        values: In base units: seconds, bytes, shares (of one processor, of memory), counts.
    """

    name: str
    seconds: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SearchStep:
    """One level that a `search` phase tried.

    Attributes:
        vary: `users` or `rate`.
        held: Whether every threshold of its `slo` held.
        reason: What broke, or why the step was taken: `refine`, `confirm`.
    """

    phase: str
    vary: str
    level: float
    held: bool
    requests_per_second: float
    error_rate_percent: float
    p95_ns: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ExpectationCount:
    """One expectation of a request, over all replies that are results.

    Attributes:
        expected: In words: `json $.id: 7`.
        held: Replies of which it was true.
        broken: Replies of which it was not; those that never came are in neither.
        is_soft: Whether breaking it is no failure.
    """

    request: str
    expected: str
    held: int
    broken: int
    is_soft: bool = False


@dataclass(frozen=True, slots=True)
class FailingSample:
    """One of the first requests that failed in a way; secrets are masked.

    Attributes:
        kind: The failure kind.
        reason: What failed, in words.
        second: From the start of the run.
        sent: Head and beginning of the body as they were sent; empty when nothing was.
        received: Head and beginning of the body of the reply, empty when none came.
    """

    request: str
    phase: str
    kind: str
    reason: str
    method: str
    status: int
    second: float
    latency_ns: int
    sent: str = ""
    received: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


_UNITS: Final[Mapping[Unit, str]] = {
    Unit.DURATION: "ns",
    Unit.SIZE: "bytes",
    Unit.NUMBER: "number",
}


def make_measures(recorded: Mapping[str, Iterable[Measure]]) -> tuple[RecordedMeasure, ...]:
    """Return what is recorded, given it by protocol."""
    owners: dict[Measure, list[str]] = {}
    for protocol, measures in recorded.items():
        for measure in measures:
            owners.setdefault(measure, []).append(protocol)
    return tuple(
        RecordedMeasure(measure.word, _UNITS[measure.unit], tuple(sorted(owners[measure])))
        for measure in sorted(owners, key=lambda one: one.word)
    )


def make_series(
    totals: Mapping[Labels, SeriesTotal], *, started_ns: int
) -> tuple[SeriesRecord, ...]:
    """Return every series with its histograms, in the order of their labels."""
    return tuple(
        _record(labels, totals[labels], started_ns) for labels in sorted(totals, key=_order)
    )


def read_series(records: Iterable[SeriesRecord]) -> dict[Labels, SeriesDelta]:
    """Return what `make_series` was given.

    Raises:
        UsageError: A histogram is none.
    """
    return {labels_of(record): _delta(record) for record in records}


def make_stretches(measured: Iterable[MeasuredTime], *, started_ns: int) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(part.phase, part.stage, part.start_ns - started_ns, part.end_ns - started_ns)
        for part in measured
    )


def measured_of(stretches: Iterable[Stretch]) -> tuple[MeasuredTime, ...]:
    """Return the measured time by a clock that starts with the run."""
    return tuple(MeasuredTime(one.phase, one.stage, one.start_ns, one.end_ns) for one in stretches)


def make_tracks(
    gauges: Mapping[str, Iterable[tuple[int, float]]], *, started_ns: int
) -> tuple[Track, ...]:
    """Return what gauges showed, averaged to at most 600 points each."""
    return tuple(_track(name, list(gauges[name]), started_ns) for name in sorted(gauges))


def _track(name: str, points: list[tuple[int, float]], started_ns: int) -> Track:
    step = -(-len(points) // _MOST_POINTS) or 1
    parts = [points[n : n + step] for n in range(0, len(points), step)]
    return Track(
        name,
        tuple(round((part[-1][0] - started_ns) / 1e9, 3) for part in parts),
        tuple(sum(value for _, value in part) / len(part) for part in parts),
    )


def _order(labels: Labels) -> tuple[object, ...]:
    return (
        *(labels.kind, labels.request, labels.method, labels.phase, labels.stage, labels.user),
        *(labels.task, labels.warmup, labels.after, labels.measured, labels.status, labels.failure),
        *(labels.groups, labels.tags, labels.template),
    )


def _record(labels: Labels, total: SeriesTotal, started_ns: int) -> SeriesRecord:
    split = total.service is not total.latency
    return SeriesRecord(
        request=labels.request,
        method=labels.method,
        kind=labels.kind,
        phase=labels.phase,
        stage=labels.stage,
        user=labels.user,
        task=labels.task,
        warmup=labels.warmup,
        after=labels.after,
        measured=labels.measured,
        status=labels.status,
        failure=labels.failure,
        groups=labels.groups,
        tags=labels.tags,
        protocol=labels.protocol,
        status_name=labels.status_name,
        template=labels.template,
        received_bytes=total.received,
        sent_bytes=total.sent,
        connects=total.connects,
        retries=total.retries,
        latency=_buckets(total.latency),
        service=(_buckets(total.service),) if split else (),
        measures={word: _values(found) for word, found in total.measures.items()},
        first_second=round((total.first_ns - started_ns) / NS_PER_S, 3),
        last_second=round((total.last_ns - started_ns) / NS_PER_S, 3),
    )


def _buckets(histogram: Histogram) -> Buckets:
    return Buckets(histogram.min, histogram.max, histogram.total, _flat(histogram))


def _values(histogram: Histogram) -> MeasureValues:
    return MeasureValues(histogram.min, histogram.max, histogram.total, _flat(histogram))


def _flat(histogram: Histogram) -> tuple[int, ...]:
    buckets = histogram.to_dict()["buckets"]
    assert isinstance(buckets, list)
    return tuple(buckets)


def labels_of(record: SeriesRecord) -> Labels:
    """Return what the samples of a series have in common."""
    shared: dict[str, Any] = {one.name: getattr(record, one.name) for one in fields(Labels)}
    shared["tags"] = tuple((pair[0], pair[1]) for pair in record.tags if len(pair) == 2)
    return Labels(**shared)


def _delta(record: SeriesRecord) -> SeriesDelta:
    latency = _histogram(record.latency, record.request)
    service = _histogram(record.service[0], record.request) if record.service else latency
    return SeriesDelta(
        latency,
        service,
        record.received_bytes,
        record.sent_bytes,
        record.connects,
        record.retries,
        {
            word: _histogram(Buckets(found.min, found.max, found.total, found.buckets), word)
            for word, found in record.measures.items()
        },
    )


def _histogram(buckets: Buckets, name: str) -> Histogram:
    try:
        return Histogram.from_dict(
            {
                "min_ns": buckets.min_ns,
                "max_ns": buckets.max_ns,
                "total_ns": buckets.total_ns,
                "buckets": list(buckets.buckets),
            }
        )
    except ValueError as error:
        raise UsageError(f"the histogram of `{name}` in metrics.json is broken: {error}") from error
