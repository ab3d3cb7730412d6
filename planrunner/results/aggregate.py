"""Accumulated series to the tables of a result; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypedDict

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import MeasuredTime, measured_seconds
from planrunner.metrics.judging.work_time import work_seconds
from planrunner.metrics.measures import OWN_PREFIX, SERVICE_TIME, WORK
from planrunner.metrics.recorded_values import RecordedValues
from planrunner.metrics.series import ABORTED, CHECK, Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, SeriesTotal
from planrunner.metrics.task_mix import TaskPicks, expected_runs
from planrunner.protocols.registry import spoken
from planrunner.results.model import AchievedTask, Row, Totals
from planrunner.results.record import OwnFigures, own_figures
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "Excluded",
    "MeasuredTime",
    "TaskCount",
    "count_excluded",
    "make_rows",
    "make_task_mix",
    "make_totals",
    "make_whole",
    "measured_seconds",
    "mix_errors",
]

_PERCENTILES: Final[Mapping[str, float]] = {
    "p50": 50,
    "p90": 90,
    "p95": 95,
    "p99": 99,
    "p99.9": 99.9,
}

_TableMember = tuple[Labels, SeriesTotal | SeriesDelta]


@dataclass(frozen=True, slots=True)
class Excluded:
    """Requests that are no part of the totals; each is in one of these only, the first that fits.

    Attributes:
        unmeasured: No result by the plan's word: `measure: false`, on_start, setup …
        warmup: Started within a warm-up.
        after: Started when the measured time was over.
        aborted: Cut by the end of a phase.
    """

    unmeasured: int
    warmup: int
    after: int
    aborted: int


@dataclass(frozen=True, slots=True)
class TaskCount:
    """What became of one task's picks.

    Attributes:
        runs: How often it ran, in the place of another task included.
        skipped: Picks refused because `needs` was not met.
        substituted: Picks in whose place another task ran.
        gained: What it could expect of draws by other weights, see `metrics.task_mix`.
        share: Of the picks, as the plan declares it where weights alone don't; else None.
    """

    user: str
    task: str
    weight: int
    runs: int
    skipped: int = 0
    substituted: int = 0
    gained: float = 0.0
    share: float | None = None

    @property
    def picks(self) -> TaskPicks:
        return TaskPicks(self.weight, self.runs, self.skipped + self.substituted, self.gained)


def make_totals(accumulated: Accumulated, measured: Sequence[MeasuredTime]) -> Totals:
    """Sum up the requests that are results, in the units that plan-language §5 fixes."""
    members = [member for member in _results(accumulated) if member[0].kind == "request"]
    count = sum(total.count for _, total in members)
    latency = _latencies(members).latency
    failed = sum(total.count for labels, total in members if labels.failure)
    return Totals(
        total_requests=count,
        successful_requests=count - failed,
        failed_requests=failed,
        average_response_time=latency.mean / NS_PER_S,
        p95_response_time=latency.percentile(95) / NS_PER_S if latency.count else 0.0,
        requests_per_second=_ratio(count, measured_seconds(measured)),
        error_rate=100 * _ratio(failed, count),
    )


def count_excluded(accumulated: Accumulated) -> Excluded:
    counts: Counter[str] = Counter()
    for labels, total in accumulated.totals.items():
        if labels.kind != "request" or labels.is_result:
            continue
        if not labels.measured:
            counts["unmeasured"] += total.count
        elif labels.warmup:
            counts["warmup"] += total.count
        elif labels.after:
            counts["after"] += total.count
        else:
            counts[ABORTED] += total.count
    return Excluded(counts["unmeasured"], counts["warmup"], counts["after"], counts[ABORTED])


def make_rows(accumulated: Accumulated, measured: Sequence[MeasuredTime]) -> tuple[Row, ...]:
    """Build every table of a result, each for the whole run and then for each phase.

    The order is that of the tables in `Row.by`, phases as `measured` has them, then names.
    """
    tables: dict[tuple[str, str, str], list[_TableMember]] = {}
    for labels, total in _results(accumulated):
        for by, name in _names(labels):
            for phase in _scopes(by, labels.phase):
                tables.setdefault((by, phase, name), []).append((labels, total))
    order = _order(measured)
    return tuple(
        _row(key, tables[key], _parts_of(key, measured)) for key in sorted(tables, key=order)
    )


def make_whole(
    series: Mapping[Labels, SeriesTotal | SeriesDelta], measured: Sequence[MeasuredTime]
) -> Row:
    """Sum up all requests that are results in one row, whose name is empty."""
    members: list[_TableMember] = [
        (labels, delta)
        for labels, delta in series.items()
        if labels.is_result and labels.kind == "request"
    ]
    return _row(("request", "", ""), members, measured)


def make_task_mix(counts: Iterable[TaskCount]) -> tuple[AchievedTask, ...]:
    """Set the achieved task mix beside the declared one.

    `share_percent` and `mix_error_percent` are None for a class of which nothing ran.
    """
    counts = tuple(counts)
    errors = mix_errors(counts)
    runs, weights = _by_user(counts, lambda c: c.runs), _by_user(counts, lambda c: c.weight)
    return tuple(
        AchievedTask(
            user=count.user,
            task=count.task,
            weight=count.weight,
            declared_percent=100
            * (count.weight / weights[count.user] if count.share is None else count.share),
            share_percent=100 * count.runs / runs[count.user] if runs[count.user] else None,
            runs=count.runs,
            skipped=count.skipped,
            substituted=count.substituted,
            mix_error_percent=errors.get(count.user),
        )
        for count in counts
    )


def mix_errors(counts: Iterable[TaskCount]) -> Mapping[str, float]:
    """Return ½ Σ |share run - share expected| of each user class that ran a task, in percent.

    What is expected follows the weights among the tasks that were open, and `next`.
    """
    by_user: dict[str, list[TaskPicks]] = {}
    for count in counts:
        by_user.setdefault(count.user, []).append(count.picks)
    errors: dict[str, float] = {}
    for user, tasks in by_user.items():
        if whole := sum(task.runs for task in tasks):
            expected = expected_runs(tasks)
            total = sum(expected) or 1.0
            pairs = zip(tasks, expected, strict=True)
            errors[user] = sum(50 * abs(task.runs / whole - one / total) for task, one in pairs)
    return errors


def _results(accumulated: Accumulated) -> Iterator[_TableMember]:
    return (member for member in accumulated.totals.items() if member[0].is_result)


def _names(labels: Labels) -> Iterator[tuple[str, str]]:
    """The rows that a series is part of, as (by, name)."""
    if labels.kind == CHECK:
        return
    if labels.kind == "group":
        yield "group", labels.request
    elif labels.kind == "iteration":
        yield "iteration", labels.user
        if labels.task:
            yield "iteration", f"{labels.user} / {labels.task}"
    else:
        yield "request", labels.request
        yield "user", labels.user
        yield "phase", labels.phase
        for key, value in labels.tags:
            yield "tag", f"{key}={value}" if value else key
        if labels.task:
            yield "task", labels.task
        if labels.stage:
            yield "stage", labels.stage


def _scopes(by: str, phase: str) -> tuple[str, ...]:
    match by:
        case "phase":
            return ("",)
        case "stage":  # stages of different phases have nothing but their names in common
            return (phase,)
        case _:
            return ("", phase)


_TABLES: Final = ("request", "task", "user", "phase", "stage", "group", "tag", "iteration")


def _order(
    measured: Sequence[MeasuredTime],
) -> Callable[[tuple[str, str, str]], tuple[int, int, int, str]]:
    places: dict[str, int] = {}
    for part in measured:
        places.setdefault(f"phase {part.phase}", len(places))
        places.setdefault(f"stage {part.phase} {part.stage}", len(places))

    def key(row: tuple[str, str, str]) -> tuple[int, int, int, str]:
        by, phase, name = row
        own = {"phase": f"phase {name}", "stage": f"stage {phase} {name}"}.get(by, "")
        scope = places.get(f"phase {phase}", len(places)) if phase else -1
        return _TABLES.index(by), scope, places.get(own, len(places)), name

    return key


def _parts_of(
    key: tuple[str, str, str], measured: Sequence[MeasuredTime]
) -> Sequence[MeasuredTime]:
    by, phase, name = key
    if by == "phase":
        phase = name
    parts = [part for part in measured if not phase or part.phase == phase]
    if by == "stage":
        parts = [part for part in parts if part.stage == name]
    return parts


def _row(
    key: tuple[str, str, str], members: Sequence[_TableMember], parts: Sequence[MeasuredTime]
) -> Row:
    by, phase, name = key
    seconds = measured_seconds(parts)
    total = _sum(members)
    failures: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    protocols: Counter[str] = Counter()
    for labels, member in members:
        if labels.failure:
            failures[labels.failure] += member.count
        if labels.kind == "request":
            if labels.status_text:
                statuses[labels.status_text] += member.count
            word = labels.spoken or spoken(labels.protocol)
            if word and by == "request" and labels.has_connected:
                protocols[word] += member.count
    timed = _latencies(members)
    latency_ns = _summary(timed.latency)
    return Row(
        by=by,
        name=name,
        phase=phase,
        count=total.count,
        failed=failures.total(),
        failures=dict(sorted(failures.items())),
        statuses=dict(sorted(statuses.items())),
        protocols=dict(sorted(protocols.items())),
        seconds=seconds,
        requests_per_second=_ratio(total.count, seconds),
        latency_ns=latency_ns,
        service_ns=_service(members, latency_ns),
        received_bytes=_sum_of(members, "received"),
        sent_bytes=_sum_of(members, "sent"),
        connects=_sum_of(members, "connects"),
        retries=total.retries,
        **_recorded(members, total, parts),
    )


def _known(members: Sequence[_TableMember], what: str) -> Sequence[_TableMember]:
    """Return those of which something is known; of what another tool sent, not all is."""
    return [member for member in members if what not in member[0].unknown]


def _sum_of(members: Sequence[_TableMember], what: str) -> int | None:
    """Return the sum of a number over those of which it is known; None if it is of none."""
    known = _known(members, what)
    return getattr(_sum(known), what) if known else None


def _service(members: Sequence[_TableMember], latency_ns: Mapping[str, int]) -> Mapping[str, int]:
    """Return the service times of those that have any; nothing if none has."""
    known = _known(members, SERVICE_TIME.word)
    if not known:
        return {}
    timed = _latencies(known)
    is_same = len(known) == len(members) and timed.service is timed.latency
    return latency_ns if is_same else _summary(timed.service)


def _recorded(
    members: Sequence[_TableMember], total: SeriesTotal, parts: Sequence[MeasuredTime]
) -> _Recorded:
    """Return what expressions of the plan gave of these samples; nothing for most plans."""
    found = {
        word: values
        for word, values in total.measures.items()
        if isinstance(values, RecordedValues)
    }
    units = {labels.work_unit for labels, _ in members if WORK.word in labels.records}
    if not found and not units:
        return {}
    seconds = measured_seconds(parts)
    recorded: _Recorded = {
        "metrics": {
            word.removeprefix(OWN_PREFIX): own_figures(values, seconds)
            for word, values in found.items()
            if word.startswith(OWN_PREFIX)
        }
    }
    if units:
        work = found.get(WORK.word)  # none where all of them failed
        recorded["work"] = work.total / WORK.scale if work is not None else 0.0
        recorded["work_per_second"] = _ratio(recorded["work"], work_seconds(members, parts))
        recorded["work_unit"] = units.pop() if len(units) == 1 else ""
    return recorded


class _Recorded(TypedDict, total=False):
    """The fields of a `Row` that few plans have."""

    work: float
    work_per_second: float
    work_unit: str
    metrics: Mapping[str, OwnFigures]


def _summary(histogram: Histogram) -> Mapping[str, int]:
    if not histogram.count:  # nothing but steps that failed before they had done their work
        return dict.fromkeys(("min", "avg", *_PERCENTILES, "max"), 0)
    percentiles = histogram.percentiles(tuple(_PERCENTILES.values()))
    return {
        "min": histogram.min,
        "avg": round(histogram.mean),
        **dict(zip(_PERCENTILES, percentiles, strict=True)),
        "max": histogram.max,
    }


def _sum(members: Iterable[_TableMember]) -> SeriesTotal:
    whole = SeriesTotal()
    for _, total in members:
        whole.add(total)
    return whole


def _latencies(members: Iterable[_TableMember]) -> SeriesTotal:
    """Sum up what says how long something took."""
    return _sum(member for member in members if member[0].has_latency)


def _by_user(counts: Iterable[TaskCount], field: Callable[[TaskCount], int]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for count in counts:
        sums[count.user] += field(count)
    return sums


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
