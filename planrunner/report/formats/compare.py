"""A comparison of two runs, and the trend of many, as text and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from planrunner.report.changes import (
    CHANGE_CLASSES,
    cells_of,
    left_words,
    shown_changes,
    shown_whole,
    sorted_changes,
)
from planrunner.report.charts.chart import Chart
from planrunner.report.charts.configuration_charts import configuration_charts
from planrunner.report.charts.palette import SCREEN
from planrunner.report.charts.trend_charts import overlaid, trends
from planrunner.report.columns import Column, room_of, table
from planrunner.report.configurations.rows import headline, left_requests, legend, sections_of
from planrunner.report.distinct import shorten_each
from planrunner.report.findings import checks_words, is_doubtful, mark_of, verdict_word
from planrunner.report.formats.page import write_page
from planrunner.report.markdown_text import markdown_table, markdown_text
from planrunner.report.own_metrics import own_trends
from planrunner.report.plain import plain, shorten
from planrunner.results.changes import ChangeOutcome, Comparison, FigureChange
from planrunner.results.configurations.model import ConfigurationTable
from planrunner.results.matrices.picked import picked_words
from planrunner.results.model import RunResult, Verdict
from planrunner.units import format_duration, format_percent
from planrunner.values import dataclass

__all__ = [
    "print_comparison",
    "print_history",
    "write_comparison_html",
    "write_comparison_markdown",
    "write_configurations_html",
    "write_history_html",
]

_STYLES: Final = {
    ChangeOutcome.BETTER: "green",
    ChangeOutcome.SAME: "",
    ChangeOutcome.WORSE: "bold red",
    ChangeOutcome.UNCLEAR: "dim",
    ChangeOutcome.NOT_JUDGED: "dim",
}
_BARS: Final = "▁▂▃▄▅▆▇█"
_LONGEST: Final = 60
_MOST_OWN: Final = 20
_CELLS: Final = ("figure", "outcome", "before", "after", "change", "interval")


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print what changed, the worst first; requests of which nothing changed are counted."""
    style = _STYLES[comparison.outcome] or "bold"
    badge = Text(f" {comparison.outcome.value.upper()} ", style=f"reverse {style}")
    console.print()
    console.print(
        Text.assemble(badge, f" {plain(comparison.after)} against {plain(comparison.before)}"),
        soft_wrap=True,
    )
    for remark in comparison.remarks:
        console.print(Text(f" note: {plain(remark)}", style="yellow"), soft_wrap=True)
    if nothing := comparison.nothing_compared:
        console.print(Text(f" nothing was compared: {nothing}", style="bold red"), soft_wrap=True)
    changes = shown_changes(comparison)
    console.print()
    whole = shown_whole(comparison)
    for line in table(_columns([*changes, *whole]), room_of(console)):
        console.print(Text(" ") + line, soft_wrap=True)
    if words := left_words(comparison):
        console.print(Text(f" other requests: {words}", style="dim"))
    for word, names in (("gone", comparison.gone), ("new", comparison.new)):
        if names:
            shown = ", ".join(shorten_each([*map(plain, names[:8])], _LONGEST))
            console.print(Text(f" {word}: {shown}{' …' if len(names) > 8 else ''}"), soft_wrap=True)
    console.print()


def write_comparison_html(
    comparison: Comparison, runs: tuple[RunResult, RunResult], out: TextIO, *, bundle: str = ""
) -> None:
    """Write the comparison as a page with both runs in each chart."""
    write_page(
        out,
        "compare.html",
        bundle=bundle,
        charts=overlaid([("before", runs[0]), ("after", runs[1])], SCREEN),
        comparison=comparison,
        runs=runs,
        changes=cells_of((*sorted_changes(comparison), *comparison.whole)),
        verdict=CHANGE_CLASSES[comparison.outcome] or "pass",
    )


def write_comparison_markdown(comparison: Comparison, out: TextIO) -> None:
    """Write what changed for a job's page or a merge request, as the console shows it."""
    against = f"{comparison.after} against {comparison.before}"
    out.write(f"## {comparison.outcome.value.capitalize()}: {markdown_text(against)}\n\n")
    if nothing := comparison.nothing_compared:
        out.write(f"**Nothing was compared: {markdown_text(nothing)}**\n\n")
    if comparison.remarks:
        out.writelines(f"- {markdown_text(remark)}\n" for remark in comparison.remarks)
        out.write("\n")
    rows = [
        [markdown_text(str(row["request"])), *(str(row[key]) for key in _CELLS)]
        for row in cells_of([*shown_changes(comparison), *shown_whole(comparison)])
    ]
    titles = ("Request", "Figure", "Outcome", "Before", "After", "Change", "95 % interval")
    out.writelines(markdown_table(titles, rows, numbers=3))
    if words := left_words(comparison):
        out.write(f"\nOther requests: {words}\n")
    for word, names in (("Gone", comparison.gone), ("New", comparison.new)):
        if names:
            out.write(f"\n{word}: {', '.join(map(markdown_text, names))}\n")


def write_configurations_html(
    table: ConfigurationTable, runs: Sequence[RunResult], out: TextIO, *, bundle: str = ""
) -> None:
    """Write the comparison as a page.

    Args:
        table: The comparison.
        runs: Its runs, in its order.
        out: A text file, UTF-8.
        bundle: A script that sets `window.vegaEmbed`; without it there are no charts.
    """
    word, words = headline(table)
    named = list(zip((one.name for one in table.configurations), runs, strict=True))
    dots, lines = configuration_charts(table, SCREEN), overlaid(named, SCREEN)
    write_page(
        out,
        "configurations.html",
        bundle=bundle,
        charts=[*dots, *lines],
        dots=dots,
        lines=lines,
        table=table,
        named=named,
        sections=sections_of(table),
        legend=legend(table),
        left=left_requests(table),
        word=word,
        words=words,
        verdict="pass" if table.best is not None else "na",
    )


def print_history(runs: Sequence[RunResult], console: Console) -> None:
    """Print a line for each run, the oldest first."""
    rows = [_run_cells(run) for run in runs]
    plans = [plain(run.plan) for run in runs]
    if len(set(plans)) == 1:  # the reader who named its runs knows the plan
        plans = [""] * len(plans)
    styles = [_verdict_style(run) for run in runs]
    columns = [
        Column("started", [row[0] for row in rows], floor=16),
        Column("plan", plans, rank=1, floor=8),
        Column("part", _picked(runs), rank=1, floor=8),
        Column("verdict", [row[1] for row in rows], styles, floor=11),
        *(
            Column(title, [row[n] for row in rows], rank=rank)
            for n, title, rank in (
                (2, "requests", 4),
                (3, "per s", 3),
                (4, "failed", 1),
                (5, "checks", 1),
                (6, "avg", 5),
                (7, "p95", 0),
            )
        ),
        Column("run", [row[8] for row in rows], rank=2, floor=6),
    ]
    console.print()
    for line in table(columns, room_of(console)):
        console.print(Text(" ") + line, soft_wrap=True)
    if len({(run.plan, run.profile) for run in runs}) == 1:  # else it is no trend
        console.print(Text(f" p95 {_spark([run.totals.p95_response_time for run in runs])}"))
        for words in _own_lines(runs):
            console.print(Text(f" {words}"), soft_wrap=True)
    console.print()


def write_history_html(
    runs: Sequence[RunResult],
    out: TextIO,
    *,
    bundle: str = "",
    reports: Mapping[str, str] | None = None,
) -> None:
    """Write the trend of runs as a page; plans and profiles apart.

    Args:
        runs: The oldest first.
        out: A text file, UTF-8.
        bundle: A script that sets `window.vegaEmbed`; without it there are no charts.
        reports: The address of each run's report, seen from the page, by run id.
    """
    groups: dict[tuple[str, str], list[RunResult]] = {}
    for run in runs:
        groups.setdefault((run.plan, run.profile), []).append(run)
    sections = [
        _HistorySection(
            plan,
            profile,
            list(_history_rows(members)),
            trends(members, SCREEN, group=n),
        )
        for n, ((plan, profile), members) in enumerate(groups.items(), start=1)
    ]
    write_page(
        out,
        "history.html",
        bundle=bundle,
        charts=[chart for section in sections for chart in section.charts],
        sections=sections,
        runs=runs,
        plans=list(dict.fromkeys(run.plan for run in runs)),
        reports=reports or {},
    )


_HistoryRow = tuple[RunResult, tuple[str, ...], str, str]


@dataclass(frozen=True, slots=True)
class _HistorySection:
    """The runs of one plan and profile.

    Attributes:
        rows: The newest first: the run, what its cells show, its verdict, and what it has of the
            phases that others have too.
    """

    plan: str
    profile: str
    rows: Sequence[_HistoryRow]
    charts: Sequence[Chart]

    @property
    def has_limits(self) -> bool:
        return any(chart.data["limits"] for chart in self.charts)

    @property
    def has_checks(self) -> bool:
        return any(row[1][5] for row in self.rows)

    @property
    def has_parts(self) -> bool:
        return any(row[3] for row in self.rows)


def _history_rows(runs: Sequence[RunResult]) -> Iterator[_HistoryRow]:
    for run, part in reversed(list(zip(runs, _picked(runs), strict=True))):
        yield run, _run_cells(run), mark_of(run).value, part


def _columns(changes: Sequence[FigureChange]) -> list[Column]:
    cells = cells_of(changes)
    styles = [_STYLES[change.outcome] for change in changes]
    return [
        Column("request", [str(row["request"]) for row in cells], floor=16),
        Column("figure", [str(row["figure"]) for row in cells], floor=13),
        Column("before", [str(row["before"]) for row in cells], rank=2),
        Column("after", [str(row["after"]) for row in cells], rank=1),
        Column("change", [str(row["change"]) for row in cells]),
        Column("95 % interval", [str(row["interval"]) for row in cells], rank=3),
        Column("outcome", [str(row["outcome"]) for row in cells], styles, floor=10),
    ]


def _run_cells(run: RunResult) -> tuple[str, ...]:
    totals = run.totals
    some = totals.total_requests > 0
    return (
        run.started[:16].replace("T", " "),
        f"{verdict_word(run)}, invalid" if is_doubtful(run) else verdict_word(run),
        f"{totals.total_requests:,}",
        f"{totals.requests_per_second:,.1f}",
        format_percent(totals.error_rate / 100) if some else "–",
        checks_words(run),
        format_duration(round(totals.average_response_time * 1e9)) if totals.has_latency else "–",
        format_duration(round(totals.p95_response_time * 1e9)) if totals.has_latency else "–",
        plain(run.run_id),
    )


def _picked(runs: Sequence[RunResult]) -> list[str]:
    """Return what each run has of the phases that others of its plan and profile have too."""
    shown = [""] * len(runs)
    for kind in dict.fromkeys((run.plan, run.profile) for run in runs):
        places = [n for n, run in enumerate(runs) if (run.plan, run.profile) == kind]
        for n, words in zip(places, picked_words([runs[n] for n in places]), strict=True):
            shown[n] = plain(words)
    return shown


def _own_lines(runs: Sequence[RunResult]) -> Iterator[str]:
    """Yield what requests record, from the first run that has it to the last."""
    found = own_trends(runs)
    for one in found[:_MOST_OWN]:
        having = [run for run in runs if one.value_of(run) is not None]
        bars = _spark([one.value_of(run) or 0.0 for run in having])
        ends = having if len(having) == 1 else (having[0], having[-1])
        words = [one.words_of(run) for run in ends]
        yield f"{shorten(str(one), _LONGEST)} {bars} {' to '.join(words)}"
    if len(found) > _MOST_OWN:
        yield f"… {len(found) - _MOST_OWN:,} more in the reports"


def _verdict_style(run: RunResult) -> str:
    return {Verdict.PASS: "green", Verdict.WARN: "yellow"}.get(mark_of(run), "bold red")


def _spark(values: Sequence[float]) -> str:
    return "".join(_bars(values))


def _bars(values: Sequence[float]) -> Iterator[str]:
    most = max(values, default=0.0)
    for value in values:
        share = min(max(value, 0.0) / most, 1.0) if most > 0 else 0.0
        yield _BARS[round(share * (len(_BARS) - 1))]
