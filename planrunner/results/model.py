"""RunResult: everything a report can say about one run; a value, made once, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from planrunner.metrics.judging.verdict import Verdict
from planrunner.results.changes import EarlierRun
from planrunner.results.loads import GeneratorFacts, LoadChange, PhaseLoad, Sustainable
from planrunner.results.record import (
    CallFacts,
    ComponentFigures,
    ExpectationCount,
    FailingSample,
    OwnFigures,
    PhaseCombination,
    PhaseProgress,
    RecordedMeasure,
    RequestPoints,
    ScalingFit,
    SearchStep,
    SeriesRecord,
    Stretch,
    Track,
)
from planrunner.results.record.hosts import HostFigures
from planrunner.values import dataclass

__all__ = [
    "AchievedTask",
    "JudgedSingle",
    "JudgedSizes",
    "Judgement",
    "Point",
    "Row",
    "RunResult",
    "Totals",
    "Validity",
    "ValidityLevel",
    "Verdict",
    "WrittenFile",
]


class ValidityLevel(StrEnum):
    VALID = "valid"
    BIASED = "biased"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Validity:
    """Whether the generator's numbers can be trusted; each reason says what to do about it."""

    level: ValidityLevel
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole run without warm-up, unmeasured and aborted requests.

    Names and units are the contract of plan-language §5: seconds, percent, requests per second.
    """

    total_requests: int
    successful_requests: int
    failed_requests: int
    average_response_time: float
    p95_response_time: float
    requests_per_second: float
    error_rate: float

    @property
    def has_latency(self) -> bool:
        """Whether anything took its time; not if only steps failed before they did any work."""
        return self.average_response_time > 0 or self.successful_requests > 0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a request, task, user class, phase, stage, tag or group.

    Attributes:
        by: What the rows of its table are: `request`, `task`, `user`, `phase`, `stage`,
            `group`, `tag`, `iteration`.
        phase: The phase it is narrowed to, empty for the whole run.
        seconds: Measured time that `requests_per_second` divides by.
        failures: Failed requests by failure kind; kinds that did not occur are left out.
        statuses: Requests by status code; "0" where no reply came.
        protocols: Of a request, by what was spoken: `http/1.1`, `http/2`; without those that came
            to no connection.
        work: How much they did, by `work:` of the plan; null where none has any.
        work_per_second: As `work_rate` has it.
        work_unit: What the work is counted in; empty where the plan says nothing, or several.
        metrics: The metrics of the plan's own, by name.
        service_ns: Empty where nobody knows.
        received_bytes: Null where nobody knows, as `sent_bytes` and `connects`.
    """

    by: str
    name: str
    phase: str
    count: int
    failed: int
    failures: Mapping[str, int]
    statuses: Mapping[str, int]
    seconds: float
    requests_per_second: float
    latency_ns: Mapping[str, int]  # min avg p50 p90 p95 p99 p99.9 max
    service_ns: Mapping[str, int]
    received_bytes: int | None
    sent_bytes: int | None
    connects: int | None
    retries: int
    work: float | None = None
    work_per_second: float | None = None
    work_unit: str = ""
    metrics: Mapping[str, OwnFigures] = field(default_factory=dict)
    protocols: Mapping[str, int] = field(default_factory=dict)

    @property
    def has_latency(self) -> bool:
        """Whether anything took its time; not if only steps failed before they did any work."""
        # A message of a WebSocket that was there before its step has taken no time, but it came.
        return self.latency_ns.get("max", 0) > 0 or self.count > self.failed


@dataclass(frozen=True, slots=True)
class Point:
    """One second of the run, or of a long run a few; warm-up included and marked.

    Attributes:
        second: From the start of the run, the end of the interval.
        users: Virtual users alive at its end, those of all phases.
        requests: Finished in it, failed ones included.
        p50_ns: Of latency; 0 without requests, as are the others.
        seconds: Length of the interval; the same for all points of a result.
        failures: Failed requests by failure kind; kinds that did not occur are left out.
    """

    second: int
    phase: str
    warmup: bool
    users: int
    requests: int
    failed: int
    p50_ns: int
    p95_ns: int
    p99_ns: int
    seconds: int = 1
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JudgedSingle:
    """What came of one of those that a threshold judges one by one.

    Attributes:
        name: Of the request, task, group, user class, phase or tag value.
        observed: As a judgement has it, like all that follows.
    """

    name: str
    verdict: Verdict
    observed: str
    limit: str
    reason: str = ""
    limit_amount: float | None = None
    amount: float | None = None


@dataclass(frozen=True, slots=True)
class JudgedSizes:
    """What a threshold on scalability compares.

    Attributes:
        over: What the size is: `rows`; empty for thresholds on other things.
        requests: Those whose medians are taken together.
        phases: Those of this run that it looks at.
    """

    over: str = ""
    requests: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """A threshold with what was observed.

    Attributes:
        threshold: As the plan wrote it.
        observed: With its unit, such as `312 ms`; a word such as `no samples` without data.
        limit: The value it was compared with, with its unit.
        place: `file:line:column` of the threshold in the plan; empty for the default one.
        level: `warn` or `fail`: what breaking it means.
        pair: A number from 1 that the two of a `{warn: …, fail: …}` share; 0 for a single one.
        limit_amount: `limit` in base units: nanoseconds, bytes, per second, a share or a number;
            null where there is none to compare with.
        window_start_ns: Of the window that `observed` is from, from the run's start.
        window_end_ns: Likewise; both are 0 for thresholds without windows.
        amount: `observed` in base units, and of windows the one that decided; null without data.
        operator: Such as `<`: between the amount and the limit.
        unit: `duration`, `rate`, `percentage`, `size` or `number`.
        each: Of a threshold with `each`, every single one, the worst first: `observed` is its own.
        sizes: Of one on scalability.
    """

    threshold: str
    verdict: Verdict
    observed: str
    limit: str
    place: str
    reason: str = ""
    level: str = "fail"
    pair: int = 0
    limit_amount: float | None = None
    window_start_ns: int = 0
    window_end_ns: int = 0
    amount: float | None = None
    operator: str = ""
    unit: str = ""
    each: tuple[JudgedSingle, ...] = ()
    sizes: JudgedSizes = JudgedSizes()


@dataclass(frozen=True, slots=True)
class AchievedTask:
    """What became of a task, beside what its weight promises.

    Attributes:
        declared_percent: Its weight in all of its class.
        share_percent: Its runs in all of its class; null where nothing of the class ran.
        runs: How often it ran, in the place of another task included.
        skipped: Picks refused because `needs` was not met.
        substituted: Picks in whose place another task ran.
        mix_error_percent: Of its class: how far the mix is off; null where nothing of it ran.
    """

    user: str
    task: str
    weight: int
    declared_percent: float
    share_percent: float | None
    runs: int
    skipped: int
    substituted: int
    mix_error_percent: float | None


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of test data that was written before the load.

    Attributes:
        name: As steps read it.
        file: What it is called in `files` of the run's directory.
        source: The data source of its rows.
        phases: Those whose users read it.
    """

    name: str
    file: str
    source: str
    format: str
    rows: int
    bytes: int
    phases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """One finished run.

    Attributes:
        started: UTC, ISO 8601 with milliseconds and `Z`.
        ended_because: `finished`, or why it ended early, in words.
        exit_code: What the process ends with because of this result.
        aborted: Requests cut by the end of a phase; no part of the totals.
        unmeasured: Requests that are no result (`measure: false`, on_start …).
        warmup: Requests that started within a warm-up.
        notices: Things the user should know, each a sentence.
        host: Facts about the generator's machine and versions.
        plan_text: The plan as it ran, secrets masked.
        baseline: The file that its baseline is expected in.
        labels: What the user called the run with `--label`.
        measured: The time that rates are divided by.
        request_points: Each request over time; the first is all of them together.
        progress: What the requests of each phase had come to over time.
        tracks: What was measured beside the requests.
        search: The levels that `search` phases tried, in order.
        failing_samples: The first requests of each name that failed in each way.
        loads: What each phase requested and achieved.
        generator: How the generator itself was.
        sustainable: What `search` phases found.
        backoff: Pauses of users after they could not connect.
        series: Every series with its histograms: what the tables are made of.
        measures: What thresholds ask for of samples beside latency and service time.
        after: Requests that started when the measured time was over.
        earlier: The baseline, else the run before this one, compared with it; none without either.
        profile_reason: Why that profile ran; empty when it isn't known.
        expectations: What the plan expects of replies, and how often that held.
        calls: How functions were called that are measured.
        components: What was measured of each component, in each phase.
        files: The test data that was written before the load.
        combinations: The phases that are combinations of a matrix, of those that were to run.
        changes: Of loads, by hand, in order of time.
        hosts: Those that the workers were on, and how each worker did; none for a single worker.
        scaling: How the time of each request grows with the sizes of a matrix.
    """

    run_id: str
    plan: str
    plan_path: str
    plan_hash: str
    profile: str
    seed: int
    started: str
    duration_seconds: float
    ended_because: str
    exit_code: int
    totals: Totals
    aborted: int
    unmeasured: int
    warmup: int
    rows: tuple[Row, ...]
    points: tuple[Point, ...]
    judgements: tuple[Judgement, ...]
    validity: Validity
    task_mix: tuple[AchievedTask, ...]
    params: Mapping[str, str]
    host: Mapping[str, str]
    notices: tuple[str, ...] = ()
    plan_text: str = ""
    baseline: str = ""
    measured: tuple[Stretch, ...] = ()
    request_points: tuple[RequestPoints, ...] = ()
    tracks: tuple[Track, ...] = ()
    search: tuple[SearchStep, ...] = ()
    failing_samples: tuple[FailingSample, ...] = ()
    series: tuple[SeriesRecord, ...] = ()
    loads: tuple[PhaseLoad, ...] = ()
    generator: GeneratorFacts = GeneratorFacts()
    sustainable: tuple[Sustainable, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    backoff: int = 0
    measures: tuple[RecordedMeasure, ...] = ()
    after: int = 0
    progress: tuple[PhaseProgress, ...] = ()
    earlier: tuple[EarlierRun, ...] = ()
    expectations: tuple[ExpectationCount, ...] = ()
    calls: tuple[CallFacts, ...] = ()
    components: tuple[ComponentFigures, ...] = ()
    profile_reason: str = ""
    files: tuple[WrittenFile, ...] = ()
    combinations: tuple[PhaseCombination, ...] = ()
    scaling: tuple[ScalingFit, ...] = ()
    changes: tuple[LoadChange, ...] = ()
    hosts: tuple[HostFigures, ...] = ()
