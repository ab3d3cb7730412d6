"""What metrics.json keeps of a run beside its tables and series: the run over time, examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from planrunner.metrics.amounts import Unit
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.measures import Measure
from planrunner.values import dataclass

__all__ = [
    "PROGRESS_LATENCIES",
    "PROGRESS_PERCENTILES",
    "AxisChoice",
    "CallFacts",
    "ComponentFigures",
    "ExpectationCount",
    "FailingSample",
    "MetricPoints",
    "PhaseCombination",
    "PhaseProgress",
    "RecordedMeasure",
    "RequestPoints",
    "ScalingFit",
    "SearchStep",
    "SizeValue",
    "Stretch",
    "Track",
    "make_measures",
    "make_stretches",
    "make_tracks",
    "measured_of",
]

PROGRESS_PERCENTILES: Final = (50, 66, 75, 80, 90, 95, 98, 99, 99.9, 99.99)
"""Those that tables of load over time have; the 100th is the maximum."""

PROGRESS_LATENCIES: Final = (
    *("avg", "min", "max"),
    *(f"p{percent:g}" for percent in PROGRESS_PERCENTILES),
)
_MOST_POINTS: Final = 600


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
class Stretch:
    """Time of a stage that counts: after warm-up, before graceful stop; from the run's start.

    Attributes:
        is_counted: Whether its phase lasts as long as a number of iterations does.
    """

    phase: str
    stage: str
    start_ns: int
    end_ns: int
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class AxisChoice:
    """An axis of a matrix with the value that a phase has of it, as the plan writes it."""

    axis: str
    value: str


@dataclass(frozen=True, slots=True)
class SizeValue:
    """A number that differs among the phases of a matrix: seconds, bytes, a second, or plain.

    Attributes:
        unit: What it is if it isn't plain: `duration`, `size`, `rate` or `percent`.
    """

    name: str
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class PhaseCombination:
    """A phase of this run that is a combination of a matrix.

    Attributes:
        phase: What rows, series and measured time call it: `ingestion[case=small,format=csv]`.
        matrix: The phase of the plan: `ingestion`; all of one matrix stand in a row, in order.
        axes: In the plan's order: `case` is `small`, `format` is `csv`.
        sizes: What differs within the matrix and is a number, whether an axis or a case gives it,
            in the plan's order: `rows` is 1000.0. Params are in seconds, bytes, per second, or
            fractions.
    """

    phase: str
    matrix: str
    axes: tuple[AxisChoice, ...]
    sizes: tuple[SizeValue, ...]

    def size(self, name: str) -> float:
        """Return a size of this phase; 0 where the matrix does not vary it."""
        return next((one.value for one in self.sizes if one.name == name), 0.0)


@dataclass(frozen=True, slots=True)
class ScalingFit:
    """How the time of a request grows with size: as the size to the power of `exponent`.

    Attributes:
        matrix: The phase of the plan.
        request: The component that is measured.
        axes: Those of the matrix that are not the size, with their values.
        over: What the size is: `rows`.
        sizes: In order; `medians_ns` are of the latencies at each.
        exponent: 1 is linear: least squares on the logarithms.
        low: Of its 95 % interval; null with fewer than three sizes, and so `high`.
    """

    matrix: str
    request: str
    axes: Mapping[str, str]
    over: str
    sizes: tuple[float, ...]
    medians_ns: tuple[int, ...]
    exponent: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ComponentFigures:
    """A component in a phase: its typical time, and whether measuring again would give it too.

    Attributes:
        name: Of the request.
        samples: Those that have a latency, failed ones included.
        median_ns: Of latency, like the following: at most 0.4 % off, as percentiles are.
        mad_ns: The median absolute deviation; at most 0.4 % of it and 0.8 % of the median off.
        stable: Whether no reason is against it.
        reasons: Why it is noisy, each a clause.
        needed: How many samples would do; 0 where they are enough, or where it isn't known.
    """

    name: str
    phase: str
    samples: int
    median_ns: int
    mad_ns: int
    stable: bool
    reasons: tuple[str, ...] = ()
    needed: int = 0


@dataclass(frozen=True, slots=True)
class MetricPoints:
    """A metric of the plan's own over time, interval by interval of a request.

    Attributes:
        values: How many there are; failed samples have none.
        total: Their sum; of true and false, how many are true.
    """

    values: tuple[int, ...]
    total: tuple[float, ...]

    @property
    def averages(self) -> tuple[float | None, ...]:
        """The average of each interval; None where there is no value."""
        pairs = zip(self.total, self.values, strict=True)
        return tuple(total / count if count else None for total, count in pairs)


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
        asked: Expectations that replies were asked; empty where no request states any.
        broken: Those of them that did not hold; likewise.
        work: How much was done; empty where no request has `work`.
        metrics: Of the plan's own, by name.
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
    asked: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()
    work: tuple[float, ...] = ()
    metrics: Mapping[str, MetricPoints] = field(default_factory=dict)


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
        received_bytes: By then; null where another tool sent all and tells none.
        latency_ns: By the names of `PROGRESS_LATENCIES`; 0 before the first one.
    """

    phase: str
    interval_seconds: int
    seconds: tuple[int, ...]
    users: tuple[int, ...]
    requests: tuple[int, ...]
    failed: tuple[int, ...]
    received_bytes: tuple[int | None, ...]
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
class CallFacts:
    """How a component was called that is measured, over all samples that are results.

    Attributes:
        how: `inline`, `async`, `thread`, `process` or `as a command`; with batches it says so.
        empty_ns: What an empty one takes that is called in this way: part of the figures.
        calls: How many there were.
        collections: Garbage collections while it ran; null of a command.
        cpu_ns: The mean processor time of a call in a process of its own; else null.
        peak_rss: The most memory that one of these processes had; likewise.
    """

    request: str
    how: str
    empty_ns: int
    calls: int
    collections: int | None
    cpu_ns: int | None = None
    peak_rss: int | None = None


@dataclass(frozen=True, slots=True)
class FailingSample:
    """One of the first requests that failed in a way; secrets are masked.

    Attributes:
        kind: The failure kind.
        reason: What failed, in words.
        second: From the start of the run.
        sent: Head and beginning of the body as they were sent; empty when nothing was.
        received: Head and beginning of the body of the reply, empty when none came.
        status_name: The status as people know it, where that isn't its number.
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
    status_name: str = ""

    @property
    def failure_text(self) -> str:
        """Why it failed: the status where that is the failure, else the failure kind."""
        status = self.status_name or (str(self.status) if self.status else "")
        return status if self.kind == "status" and status else self.kind


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


def make_stretches(measured: Iterable[MeasuredTime], *, started_ns: int) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(
            part.phase,
            part.stage,
            part.start_ns - started_ns,
            part.end_ns - started_ns,
            part.is_counted,
        )
        for part in measured
    )


def measured_of(stretches: Iterable[Stretch]) -> tuple[MeasuredTime, ...]:
    """Return the measured time by a clock that starts with the run."""
    return tuple(
        MeasuredTime(one.phase, one.stage, one.start_ns, one.end_ns, one.is_counted)
        for one in stretches
    )


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
