"""The series of a run as metrics.json keeps them: what all tables and thresholds are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, fields
from typing import Any, TypeVar

from planrunner.errors import UsageError
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.recorded_values import RecordedValues
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, SeriesTotal
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "BrokenExpectation",
    "Buckets",
    "MeasureValues",
    "SeriesRecord",
    "checks_held",
    "labels_of",
    "make_series",
    "read_series",
]


AnyHistogram = TypeVar("AnyHistogram", bound=Histogram)


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
class MeasureValues:
    """A histogram of a measure: exact facts in its unit, and buckets as those of latencies.

    Values that expressions of the plan give are in millionths and may be negative: 32768 is added
    to the buckets of those.

    Attributes:
        booleans: How many of the values were true or false.
        last: The latest of them, where expressions of the plan give them.
        last_ns: When it came, from the start of the run.
    """

    min: int
    max: int
    total: int
    buckets: tuple[int, ...]
    booleans: int = 0
    last: int = 0
    last_ns: int = 0


@dataclass(frozen=True, slots=True)
class BrokenExpectation:
    """How often an expectation did not hold of the samples of a series.

    Attributes:
        expected: In words.
        is_soft: Whether breaking it is no failure.
    """

    expected: str
    is_soft: bool
    times: int


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """All samples that share every label; tables and thresholds are made of nothing else.

    Attributes:
        kind: `request`, `iteration`, `group` or `check`, a condition of another tool's script.
        groups: The groups around the step, outermost first.
        tags: Pairs of key and value; the value of a plain tag is empty.
        status: 0 where no reply arrived.
        failure: The failure kind, empty for successes, `aborted` for what a phase's end cut.
        measured: False for traffic that is no result; `timed` for failures of unknown duration.
        service: One histogram of service times; none where they equal the latencies.
        protocol: What sent them: `http`, `etcd`; empty for iterations and groups.
        status_name: The status in its protocol's words: `NOT_FOUND`; empty where it is a number.
        measures: The values of each recorded measure, by its name; those without any are left out.
        after: True for requests sent when the measured time was over.
        template: The name as the plan writes it, where that has expressions; else empty.
        first_second: From the start of the run, the end of the first interval that had one of the
            samples; 0 where it isn't known, and so `last_second`.
        expectations: How many each of the samples was asked, hard and soft ones.
        broken: Those that did not hold of some of them.
        records: The measures that expressions of the plan give each of these that succeeds.
        work_unit: What their work is counted in, by the plan's own word; empty where it has none.
        spoken: What went over the wire, where that isn't what the protocol usually speaks.
        unknown: What another tool does not tell of its requests: `service_time`, `connects`,
            `received`, `sent`, `status`; what is here in its place means nothing.
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
    timed: bool = True
    first_second: float = 0.0
    last_second: float = 0.0
    template: str = ""
    expectations: int = 0
    broken: tuple[BrokenExpectation, ...] = ()
    records: tuple[str, ...] = ()
    work_unit: str = ""
    spoken: str = ""
    unknown: tuple[str, ...] = ()


def make_series(
    totals: Mapping[Labels, SeriesTotal],
    *,
    started_ns: int,
    mask: Callable[[str], str] = str,
) -> tuple[SeriesRecord, ...]:
    """Return every series with its histograms, in the order of their labels.

    `mask` takes secrets out of what was expected.
    """
    return tuple(
        _record(labels, totals[labels], started_ns, mask) for labels in sorted(totals, key=_order)
    )


def read_series(records: Iterable[SeriesRecord]) -> dict[Labels, SeriesDelta]:
    """Return what `make_series` was given.

    Raises:
        UsageError: A histogram is none.
    """
    return {labels_of(record): _delta(record) for record in records}


def checks_held(records: Iterable[SeriesRecord]) -> float | None:
    """Return the share of all expectations that held, as `checks` has it; None without any."""
    asked = broken = 0
    for one in records:
        if labels_of(one).is_result:
            asked += one.expectations * sum(one.latency.buckets[1::2])
            broken += sum(each.times for each in one.broken)
    return (asked - broken) / asked if asked else None


def _order(labels: Labels) -> tuple[object, ...]:
    return (
        *(labels.kind, labels.request, labels.method, labels.phase, labels.stage, labels.user),
        *(labels.task, labels.warmup, labels.after, labels.measured, labels.status, labels.failure),
        *(labels.groups, labels.tags, labels.template, labels.timed, labels.expectations),
        *(labels.records, labels.work_unit, labels.spoken, labels.unknown),
    )


def _record(
    labels: Labels, total: SeriesTotal, started_ns: int, mask: Callable[[str], str]
) -> SeriesRecord:
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
        timed=labels.timed,
        template=labels.template,
        received_bytes=total.received,
        sent_bytes=total.sent,
        connects=total.connects,
        retries=total.retries,
        latency=_buckets(total.latency),
        service=(_buckets(total.service),) if split else (),
        measures={word: _values(found, started_ns) for word, found in total.measures.items()},
        first_second=round((total.first_ns - started_ns) / NS_PER_S, 3),
        last_second=round((total.last_ns - started_ns) / NS_PER_S, 3),
        expectations=labels.expectations,
        records=labels.records,
        work_unit=labels.work_unit,
        spoken=labels.spoken,
        unknown=labels.unknown,
        broken=tuple(
            BrokenExpectation(mask(expected), is_soft, times)
            for (expected, is_soft), times in sorted(total.broken.items())
        ),
    )


def _buckets(histogram: Histogram) -> Buckets:
    return Buckets(histogram.min, histogram.max, histogram.total, _flat(histogram))


def _values(found: Histogram, started_ns: int) -> MeasureValues:
    facts = (found.min, found.max, found.total, _flat(found))
    if not isinstance(found, RecordedValues):
        return MeasureValues(*facts)
    return MeasureValues(*facts, found.booleans, found.last, found.last_ns - started_ns)


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
            word: _measured_values(found, word, is_recorded=word in record.records)
            for word, found in record.measures.items()
        },
        {(one.expected, one.is_soft): one.times for one in record.broken},
    )


def _measured_values(found: MeasureValues, word: str, *, is_recorded: bool) -> Histogram:
    buckets = Buckets(found.min, found.max, found.total, found.buckets)
    if not is_recorded:
        return _histogram(buckets, word)
    values = _read(RecordedValues, buckets, word)
    return values.with_facts(found.booleans, found.last, found.last_ns)


def _histogram(buckets: Buckets, name: str) -> Histogram:
    return _read(Histogram, buckets, name)


def _read(kind: type[AnyHistogram], buckets: Buckets, name: str) -> AnyHistogram:
    try:
        return kind.from_dict(
            {
                "min_ns": buckets.min_ns,
                "max_ns": buckets.max_ns,
                "total_ns": buckets.total_ns,
                "buckets": list(buckets.buckets),
            }
        )
    except ValueError as error:
        raise UsageError(f"the histogram of `{name}` in metrics.json is broken: {error}") from error
