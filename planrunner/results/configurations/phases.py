"""The phases of a matrix as configurations: of the load, or of params that are no sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from planrunner.results.bootstrap import FIGURES, Estimate, Interval, estimates, too_short
from planrunner.results.comparison import TOLERANCE, Estimates
from planrunner.results.configurations.contest import best_of_all, contests
from planrunner.results.configurations.model import Configuration, ConfigurationTable
from planrunner.results.iterations.samples import sums_of
from planrunner.results.matrices.tables import combinations_by_matrix, size_of
from planrunner.results.model import Row, RunResult, ValidityLevel
from planrunner.results.record import PhaseCombination, RequestPoints
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["MatrixConfigurations", "matrix_configurations"]

_MOST: Final = 200
"""Requests in phases that are looked at one by one: each costs some milliseconds."""


@dataclass(frozen=True, slots=True)
class MatrixConfigurations:
    """A matrix without sizes; `name` is the phase of the plan."""

    name: str
    table: ConfigurationTable


def matrix_configurations(result: RunResult) -> list[MatrixConfigurations]:
    """Return the matrices of a run whose combinations are configurations."""
    rows = _rows(result)
    found = []
    for name, members in combinations_by_matrix(result.combinations).items():
        ran = [one for one in members if one.phase in rows]
        if len(ran) > 1 and not size_of(members, result.judgements):
            found.append(MatrixConfigurations(name, _table(result, ran, rows)))
    return found


def _table(
    result: RunResult,
    members: Sequence[PhaseCombination],
    rows: Mapping[str, Mapping[str, Row]],
) -> ConfigurationTable:
    phases = [one.phase for one in members]
    names = _names(rows, phases)
    counted = {part.phase for part in result.measured if part.is_counted}
    remarks: list[str] = []
    if counted >= set(phases):
        found = _by_samples(result, phases, names)
        found = [_with_work(one, rows[phase]) for one, phase in zip(found, phases, strict=True)]
    else:
        found = [_by_seconds(result, phase, names) or _whole(result, phase) for phase in phases]
        remarks += _short(members, result)
    if result.validity.level is ValidityLevel.INVALID:
        found = [_unsure(each) for each in found]
        remarks.append("the numbers of the run are invalid")
    figures = contests(found, tolerance=TOLERANCE)
    table = ConfigurationTable(
        configurations=tuple(Configuration(_name(one), result.run_id, {}) for one in members),
        tolerance=TOLERANCE,
        figures=figures,
        remarks=tuple(remarks),
    )
    return replace(table, best=best_of_all(figures, table.unbeaten))


def _names(rows: Mapping[str, Mapping[str, Row]], phases: Sequence[str]) -> list[str]:
    """Return all requests together, and each that all phases have, where there are several."""
    every = [name for name in rows[phases[0]] if all(name in rows[phase] for phase in phases)]
    is_few = 1 < len(every) <= _MOST // len(phases)
    return ["", *every] if is_few else [""]


def _name(one: PhaseCombination) -> str:
    return ", ".join(f"{choice.axis}={choice.value}" for choice in one.axes)


def _rows(result: RunResult) -> Mapping[str, Mapping[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in result.rows:
        if row.by == "request" and row.phase:
            found.setdefault(row.phase, {})[row.name] = row
    return found


def _by_seconds(result: RunResult, phase: str, names: Sequence[str]) -> Mapping[str, Estimates]:
    """Return the figures of the seconds that are wholly of one phase."""
    points = {one.name: one for one in result.request_points}
    intervals = _intervals(result, phase)
    ends = {interval.second for interval in intervals}
    if not ends:
        return {}
    return {
        name: estimates(_within(points[name], ends), intervals, seed=f"{phase} {name}")
        for name in names
        if name in points
    }


def _whole(result: RunResult, phase: str) -> Mapping[str, Estimates]:
    """Return what is known of a phase without a whole second of its own: no typical one."""
    return {
        "" if row.by == "phase" else row.name: {
            **{figure: Estimate(0.0, -1.0) for figure in FIGURES},
            "throughput": Estimate(row.requests_per_second, -1.0),
            "error_rate": Estimate(row.failed / row.count if row.count else 0.0, -1.0),
        }
        for row in result.rows
        if (row.by == "request" and row.phase == phase) or (row.by == "phase" and row.name == phase)
    }


def _intervals(result: RunResult, phase: str) -> list[Interval]:
    """Return those that are measured from beginning to end, with nothing beside the phase."""
    length = next((one.interval_seconds for one in result.request_points), 1)
    own = [part for part in result.measured if part.phase == phase]
    others = [part for part in result.measured if part.phase != phase]
    if not own:
        return []
    first = min(part.start_ns for part in own)
    last = max(part.end_ns for part in own)
    begin = -(-first // (NS_PER_S * length)) * length
    ends = range(begin + length, last // NS_PER_S + 1, length)
    return [
        Interval(end, length)
        for end in ends
        if not any(
            part.start_ns < end * NS_PER_S and part.end_ns > (end - length) * NS_PER_S
            for part in others
        )
    ]


def _within(points: RequestPoints, ends: set[int]) -> RequestPoints:
    places = [n for n, second in enumerate(points.seconds) if second in ends]

    def at(numbers: Sequence[int]) -> tuple[int, ...]:
        return tuple(numbers[n] for n in places)

    return RequestPoints(
        points.name,
        points.interval_seconds,
        at(points.seconds),
        at(points.requests),
        at(points.failed),
        at(points.p50_ns),
        at(points.p95_ns),
        at(points.p99_ns),
        asked=at(points.asked) if points.asked else (),
        broken=at(points.broken) if points.broken else (),
        work=tuple(points.work[n] for n in places) if points.work else (),
    )


def _by_samples(
    result: RunResult, phases: Sequence[str], names: Sequence[str]
) -> list[Mapping[str, Estimates]]:
    """Return the figures of iterations, which are too few for seconds to say anything."""
    sums = sums_of(result)
    return [{name: sums[phase, name].figures() for name in names} for phase in phases]


def _with_work(found: Mapping[str, Estimates], rows: Mapping[str, Row]) -> Mapping[str, Estimates]:
    """Add the work a second, which is shown and not judged: how it varies over time isn't kept."""
    work = {name: row.work_per_second for name, row in rows.items()}
    if len(work) == 1:
        work[""] = next(iter(work.values()))
    return {
        name: {**each, "work_rate": Estimate(rate, -1.0)}
        if (rate := work.get(name)) is not None
        else each
        for name, each in found.items()
    }


def _unsure(found: Mapping[str, Estimates]) -> Mapping[str, Estimates]:
    return {
        name: {figure: Estimate(one.value, -1.0) for figure, one in each.items()}
        for name, each in found.items()
    }


def _short(members: Sequence[PhaseCombination], result: RunResult) -> Iterator[str]:
    for one in members:
        yield from too_short(f"`{_name(one)}`", _intervals(result, one.phase))
