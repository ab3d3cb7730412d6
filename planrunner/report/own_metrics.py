"""Metrics of the plan's own and the work of requests, as every report shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from planrunner.results.model import Row, RunResult
from planrunner.results.record import OwnFigures
from planrunner.units import format_percent
from planrunner.values import dataclass

__all__ = [
    "OWN_COLUMNS",
    "OwnMetricRow",
    "amount_words",
    "has_work",
    "own_metric_rows",
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
        numbers = (found.total, found.per_second, found.avg, found.min, found.p50, found.p95)
        return (count, *map(amount_words, (*numbers, found.max, found.last)))


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


def work_rate_words(row: Row) -> str:
    """Return the work rate of a row with its unit; empty where it has none."""
    if row.work_per_second is None:
        return ""
    return f"{amount_words(row.work_per_second)}{f' {row.work_unit}' if row.work_unit else ''}/s"


def has_work(rows: Iterable[Row]) -> bool:
    """Whether any of these requests did work by the plan's own count."""
    return any(row.work_per_second is not None for row in rows)


def amount_words(amount: float) -> str:
    """Return a number for people: four digits at least, and no zeros behind the point."""
    if amount == round(amount) or abs(amount) >= 1000:
        return f"{amount:,.0f}"
    return f"{amount:,.4g}" if abs(amount) >= 0.0001 else f"{amount:.2g}"
