"""report.html: one file that opens offline, shows the verdict first and loads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TextIO

from planrunner.report.charts.charts import SCREEN, charts_of
from planrunner.report.findings import (
    count_failures,
    find,
    is_default,
    mark_of,
    most_first,
    verdict_phrase,
    worst_first,
)
from planrunner.report.formats.page import lines, write_page
from planrunner.report.load_facts import generator_words, service_p95_ns
from planrunner.results.model import Row, RunResult
from planrunner.values import dataclass

__all__ = ["write_html", "write_report"]

_PERCENTILES: Final = ("min", "avg", "p50", "p90", "p95", "p99", "p99.9", "max")
# Rows of these are in the order of the plan, which says more than which of them is worst.
_IN_PLAN_ORDER: Final = frozenset({"phase", "stage"})
_MOST_OPEN: Final = 24  # rows of requests in phases: a screen of them
_TITLES: Final[Mapping[str, str]] = {
    "request": "Requests",
    "phase": "Phases",
    "stage": "Stages",
    "user": "User classes",
    "task": "Tasks",
    "group": "Groups",
    "tag": "Tags",
    "iteration": "Iterations",
}


@dataclass(frozen=True, slots=True)
class _HtmlTable:
    """Rows below a heading of their own; the heading is empty for those of the whole run."""

    phase: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Section:
    """All tables of a kind of rows; those of phases fold away unless they are open."""

    by: str
    title: str
    tables: tuple[_HtmlTable, ...]
    is_open: bool


def write_report(result: RunResult, out: TextIO) -> None:
    """Write report.html, with charts where the package that draws them is installed."""
    from planrunner.report.charts.vega import javascript_bundle  # noqa: PLC0415 - asks importlib.metadata

    write_html(result, out, bundle=javascript_bundle())


def write_html(result: RunResult, out: TextIO, *, bundle: str = "") -> None:
    """Write the report of `result` to `out`; the same result gives the same bytes.

    Args:
        result: What to report.
        out: A text file, UTF-8.
        bundle: A script that sets `window.vegaEmbed`; without it there are no charts.
    """
    requests = [row for row in result.rows if row.by == "request" and not row.phase]
    write_page(
        out,
        "report.html",
        bundle=bundle,
        charts=charts_of(result, SCREEN),
        plan_text=lines(result.plan_text),
        result=result,
        word=verdict_phrase(result),
        verdict=mark_of(result).value,
        findings=find(result.judgements),
        is_default=is_default(result.judgements),
        sections=_sections(result),
        requests=worst_first(requests),
        kinds=[kind for kind, _ in most_first(count_failures(result))],
        statuses=sorted({status for row in requests for status in row.statuses}),
        percentiles=_PERCENTILES,
        service_p95_ns=service_p95_ns(result),
        generator=generator_words(result.generator),
    )


def _sections(result: RunResult) -> list[_Section]:
    sections = []
    for by, title in _TITLES.items():
        rows = [row for row in result.rows if row.by == by]
        if by == "stage":
            rows = _stages(rows)
        if rows:
            few = by == "request" and sum(bool(row.phase) for row in rows) <= _MOST_OPEN
            sections.append(_Section(by, title, tuple(_tables(by, rows)), is_open=few))
    return sections


def _stages(rows: Sequence[Row]) -> list[Row]:
    """Return the stages in one table; one that is all of its phase would say the same again."""
    several = [phase for phase, count in Counter(row.phase for row in rows).items() if count > 1]
    return [
        replace(row, name=f"{row.phase} · {row.name}", phase="")
        for row in rows
        if row.phase in several
    ]


def _tables(by: str, rows: Sequence[Row]) -> Iterable[_HtmlTable]:
    """Return the rows of the whole run, then those of each phase."""
    phases = dict.fromkeys(row.phase for row in rows)
    for phase in sorted(phases, key=bool):
        # The only phase has the same numbers as the run.
        if phase and "" in phases and len(phases) == 2:
            continue
        chosen = [row for row in rows if row.phase == phase]
        yield _HtmlTable(phase, tuple(chosen if by in _IN_PLAN_ORDER else worst_first(chosen)))
