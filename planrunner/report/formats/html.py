"""report.html: one file that opens offline, shows the verdict first and loads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TextIO

from planrunner.report.changes import cells_of, left_words, shown_changes
from planrunner.report.charts.charts import SCREEN, charts_at
from planrunner.report.charts.over_time.run_charts import RunTimes
from planrunner.report.charts.vega import javascript_bundle
from planrunner.report.components import component_rows
from planrunner.report.configurations.rows import headline, legend, sections_of
from planrunner.report.findings import (
    broken_first,
    count_failures,
    expectation_words,
    failed_expectations,
    find,
    is_default,
    mark_of,
    most_first,
    requests_of,
    verdict_phrase,
    worst_first,
)
from planrunner.report.formats.page import lines, write_page
from planrunner.report.load_facts import generator_words, service_p95_ns, spoken_words
from planrunner.report.matrices.rows import scaling_sections
from planrunner.report.own_metrics import OWN_COLUMNS, own_metric_rows, work_rate_words
from planrunner.report.plain import plain
from planrunner.report.workers import crew_table
from planrunner.results.configurations.phases import matrix_configurations
from planrunner.results.matrices.tables import matrix_tables
from planrunner.results.model import Row, RunResult
from planrunner.results.record import FailingSample, read_series
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


@dataclass(frozen=True, slots=True)
class _FailingGroup:
    """Requests that failed in the same way for the same reason.

    Attributes:
        exchanges: The first of those that are the same text.
        times: When all of them were.
    """

    first: FailingSample
    exchanges: tuple[FailingSample, ...]
    times: str


def write_report(result: RunResult, out: TextIO) -> None:
    """Write report.html, with charts where the package that draws them is installed."""
    write_html(result, out, bundle=javascript_bundle())


def write_html(result: RunResult, out: TextIO, *, bundle: str = "") -> None:
    """Write the report of `result` to `out`; the same result gives the same bytes.

    Args:
        result: What to report.
        out: A text file, UTF-8.
        bundle: A script that sets `window.vegaEmbed`; without it there are no charts.
    """
    requests = [row for row in result.rows if row.by == "request" and not row.phase]
    times = RunTimes.of(result)
    failed = _failed(result)
    write_page(
        out,
        "report.html",
        bundle=bundle,
        charts=charts_at(times, SCREEN),
        choices=times.columns[1:],
        changes=_changes(result),
        failing=_failing(result.failing_samples),
        plan_text=lines(result.plan_text),
        result=result,
        word=verdict_phrase(result),
        verdict=mark_of(result).value,
        findings=find(result.judgements),
        is_default=is_default(result.judgements),
        sections=_sections(result),
        scaling=[section for table in matrix_tables(result) for section in scaling_sections(table)],
        configured=[
            (one, headline(one.table), sections_of(one.table), legend(one.table))
            for one in matrix_configurations(result)
        ],
        requests=worst_first(requests),
        own_metrics=own_metric_rows(result),
        own_columns=OWN_COLUMNS,
        work_rate=work_rate_words,
        components=component_rows(result),
        expectations=broken_first(result.expectations),
        kinds=[kind for kind, _ in most_first(failed[""])],
        failed=failed,
        broken=_broken(result),
        statuses=sorted({status for row in requests for status in row.statuses}),
        percentiles=_PERCENTILES,
        service_p95_ns=service_p95_ns(result),
        generator=generator_words(result.generator),
        crew=crew_table(result.hosts),
        spoken=spoken_words(result),
    )


def _failed(result: RunResult) -> Mapping[str, Mapping[str, int]]:
    """Return the failures of each request by status code or failure kind; `` are those of all."""
    counts: dict[str, Counter[str]] = {"": Counter()}
    failing = read_series(record for record in result.series if record.failure)
    for labels, delta in failing.items():
        if labels.kind == "request" and labels.is_result:
            for name in ("", labels.request):
                counts.setdefault(name, Counter())[labels.failure_text] += delta.count
    if not result.series:  # an old metrics.json
        by_request = {row.name: row.failures for row in requests_of(result)}
        return {**by_request, "": count_failures(result)}
    return counts


def _broken(result: RunResult) -> Mapping[str, str]:
    """Return which expectations requests failed by, in words, by their names."""
    return {
        name: expectation_words(counts)
        for (phase, name), counts in failed_expectations(result).items()
        if name is not None and not phase
    }


def _changes(result: RunResult) -> dict[str, object]:
    """Return the rows of what changed, and what is left out of them."""
    for earlier in result.earlier:
        rows = cells_of(shown_changes(earlier.comparison))
        return {"rows": rows, "left": left_words(earlier.comparison)}
    return {}


def _failing(samples: Iterable[FailingSample]) -> list[_FailingGroup]:
    """Return what failed for the same reason as one, and of each exchange the first."""
    groups: dict[tuple[object, ...], list[FailingSample]] = {}
    for sample in samples:
        key = (sample.request, sample.phase, sample.kind, sample.status, sample.reason)
        groups.setdefault(key, []).append(sample)
    return [
        _FailingGroup(
            first=members[0],
            exchanges=tuple({(one.sent, one.received): one for one in reversed(members)}.values())[
                ::-1
            ],
            times=_times(members),
        )
        for members in groups.values()
    ]


def _times(samples: Sequence[FailingSample]) -> str:
    seconds = ", ".join(f"{sample.second:,.1f}" for sample in samples)
    phase = f" in {plain(samples[0].phase)}" if samples[0].phase else ""
    return f"at {seconds} s{phase}"


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
