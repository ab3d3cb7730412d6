"""Metrics of the plan's own and the work of requests, as every report shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from planrunner.report.plain import plain
from planrunner.results.model import Row, RunResult
from planrunner.results.record import OwnFigures
from planrunner.units import format_percent
from planrunner.values import dataclass

__all__ = [
    "OWN_COLUMNS",
    "OwnMetricRow",
    "OwnTrend",
    "amount_words",
    "figures_words",
    "has_work",
    "own_metric_rows",
    "own_trends",
    "work_rate_words",
]

OWN_COLUMNS: Final = ("Values", "Sum", "Per second", "Average", "Min", "p50", "p95", "Max", "Last")
"""Titles of the cells of an `OwnMetricRow`."""

_RUN_AND_PHASE: Final = 2


@dataclass(frozen=True, slots=True)
class OwnMetricRow:
    """A metric of a request.

    Attributes:
        phase: The phase that it is narrowed to; empty for the whole run.
    """

    metric: str
    request: str
    phase: str
    figures: OwnFigures

    @property
    def cells(self) -> tuple[str, ...]:
        """What `OWN_COLUMNS` say; of true and false the share of true, and how many there are."""
        found = self.figures
        count = f"{found.count:,}"
        if found.are_booleans:
            last = "true" if found.last else "false"
            share = format_percent(found.avg)
            return (count, f"{found.total:,.0f} true", "", share, "", "", "", "", last)
        exact = map(amount_words, (found.total, found.per_second, found.avg, found.min))
        rough = (amount_words(value, digits=3) for value in (found.p50, found.p95))
        return (count, *exact, *rough, amount_words(found.max), amount_words(found.last))


def own_metric_rows(result: RunResult) -> list[OwnMetricRow]:
    """Return each metric of each request: of the whole run, then of its phases if it has several.

    With a single phase the numbers are those of the run.
    """
    found: dict[tuple[str, str], list[OwnMetricRow]] = {}
    for row in result.rows:
        for metric, figures in row.metrics.items() if row.by == "request" else ():
            one = OwnMetricRow(f"metric.{metric}", row.name, row.phase, figures)
            found.setdefault((metric, row.name), []).append(one)
    ordered = (sorted(found[key], key=lambda one: one.phase != "") for key in sorted(found))
    return [one for rows in ordered for one in (rows if len(rows) > _RUN_AND_PHASE else rows[:1])]


@dataclass(frozen=True, slots=True)
class OwnTrend:
    """What a request records, run by run: the average of a metric, or its work rate.

    Attributes:
        metric: Its name; empty for the work rate.
    """

    metric: str
    request: str

    def __str__(self) -> str:
        what = f"metric.{plain(self.metric)}" if self.metric else "work rate"
        return f"{what} of {plain(self.request) or '(no name)'}"

    def value_of(self, run: RunResult) -> float | None:
        """Return the value of a run; None where it has none."""
        row = self._row(run)
        if row is None or not self.metric:
            return None if row is None else row.work_per_second
        found = row.metrics.get(self.metric)
        return None if found is None else found.avg

    def words_of(self, run: RunResult) -> str:
        """Return the value of a run for people, with its unit if that is known."""
        row = self._row(run)
        if row is not None and (found := row.metrics.get(self.metric)) is not None:
            return _average_words(found)
        return (work_rate_words(row) if row is not None and not self.metric else "") or "–"

    def _row(self, run: RunResult) -> Row | None:
        return next((row for row in _whole_rows(run) if row.name == self.request), None)


def own_trends(runs: Iterable[RunResult]) -> list[OwnTrend]:
    """Return what requests record in any of these runs, request by request."""
    found = {
        (row.name, metric)
        for run in runs
        for row in _whole_rows(run)
        for metric in (*[""] * has_work([row]), *row.metrics)
    }
    return [OwnTrend(metric, request) for request, metric in sorted(found)]


def _whole_rows(run: RunResult) -> Iterator[Row]:
    return (row for row in run.rows if row.by == "request" and not row.phase)


def figures_words(row: Row) -> list[str]:
    """Return the work rate of a row, if it has one, and the average of each metric, in words."""
    rate = work_rate_words(row)
    words = [f"metric.{name} {_average_words(row.metrics[name])}" for name in sorted(row.metrics)]
    return [f"work {rate}", *words] if rate else words


def _average_words(found: OwnFigures) -> str:
    if found.are_booleans:
        return f"{format_percent(found.avg)} true"
    return amount_words(found.avg)


def work_rate_words(row: Row) -> str:
    """Return the work rate of a row with its unit; empty where it has none."""
    if row.work_per_second is None:
        return ""
    return f"{amount_words(row.work_per_second)}{f' {row.work_unit}' if row.work_unit else ''}/s"


def has_work(rows: Iterable[Row]) -> bool:
    """Whether any of these requests did work by the plan's own count."""
    return any(row.work_per_second is not None for row in rows)


def amount_words(amount: float, *, digits: int = 4) -> str:
    """Return a number for people, without zeros behind the point.

    Args:
        amount: The number.
        digits: At most so many behind the point, fewer where others are before it. Percentiles are
            exact to three.
    """
    if amount == round(amount) or abs(amount) >= 10 ** (digits - 1):
        return f"{amount:,.0f}"
    return f"{amount:,.{digits}g}" if abs(amount) >= 0.0001 else f"{amount:.2g}"
