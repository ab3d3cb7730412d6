"""A comparison of two runs, and the trend of many, as text and as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from planrunner.report.charts.palette import SCREEN
from planrunner.report.charts.trend_charts import overlaid, trends
from planrunner.report.columns import Column, table
from planrunner.report.findings import is_doubtful, mark_of, verdict_word
from planrunner.report.formats.page import write_page
from planrunner.report.plain import plain, shorten
from planrunner.results.changes import ChangeOutcome, Comparison, FigureChange
from planrunner.results.model import RunResult, Verdict
from planrunner.units import format_duration, format_percent, format_rate

__all__ = [
    "print_comparison",
    "print_history",
    "write_comparison_html",
    "write_history_html",
]

_STYLES: Final = {
    ChangeOutcome.BETTER: "green",
    ChangeOutcome.SAME: "",
    ChangeOutcome.WORSE: "bold red",
    ChangeOutcome.UNCLEAR: "dim",
    ChangeOutcome.NOT_JUDGED: "dim",
}
_CLASSES: Final = {
    ChangeOutcome.BETTER: "pass",
    ChangeOutcome.SAME: "",
    ChangeOutcome.WORSE: "fail",
    ChangeOutcome.UNCLEAR: "soft",
    ChangeOutcome.NOT_JUDGED: "soft",
}
_ORDER: Final = (
    ChangeOutcome.WORSE,
    ChangeOutcome.BETTER,
    ChangeOutcome.UNCLEAR,
    ChangeOutcome.SAME,
    ChangeOutcome.NOT_JUDGED,
)
_FIGURES: Final = {
    "p99": "whole-run p99",
    "worst_p99": "worst-sec p99",
}
_BARS: Final = "▁▂▃▄▅▆▇█"
_LONGEST: Final = 60


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
    changes = _shown(comparison)
    console.print()
    whole = [change for change in comparison.whole if not change.request]
    for line in table(_columns([*changes, *whole]), max(console.width - 1, 20)):
        console.print(Text(" ") + line, soft_wrap=True)
    left = Counter(change.outcome for change in comparison.changes if change not in changes)
    if left:
        words = ", ".join(f"{left[outcome]} {outcome}" for outcome in _ORDER if left[outcome])
        console.print(Text(f" other requests: {words}", style="dim"))
    for word, names in (("gone", comparison.gone), ("new", comparison.new)):
        if names:
            shown = ", ".join(shorten(plain(name), _LONGEST) for name in names[:8])
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
        charts=overlaid(*runs, SCREEN),
        comparison=comparison,
        runs=runs,
        changes=[_cells(change) for change in (*_sorted(comparison), *comparison.whole)],
        verdict=_CLASSES[comparison.outcome] or "pass",
    )


def print_history(runs: Sequence[RunResult], console: Console) -> None:
    """Print a line for each run, the oldest first."""
    rows = [_run_cells(run) for run in runs]
    plans = [shorten(plain(run.plan), _LONGEST) for run in runs]
    if len(set(plans)) == 1:  # the reader who named its runs knows the plan
        plans = [""] * len(plans)
    styles = [_verdict_style(run) for run in runs]
    columns = [
        Column("started", [row[0] for row in rows], floor=16),
        Column("plan", plans, rank=1, floor=8),
        Column("verdict", [row[1] for row in rows], styles, floor=7),
        *(
            Column(title, [row[n] for row in rows], rank=rank)
            for n, title, rank in (
                (2, "requests", 4),
                (3, "per s", 3),
                (4, "failed", 1),
                (5, "avg", 5),
                (6, "p95", 0),
            )
        ),
        Column("run", [row[7] for row in rows], rank=2, floor=6),
    ]
    console.print()
    for line in table(columns, max(console.width - 1, 20)):
        console.print(Text(" ") + line, soft_wrap=True)
    console.print(Text(f" p95 {_spark([run.totals.p95_response_time for run in runs])}"))
    console.print()


def write_history_html(runs: Sequence[RunResult], out: TextIO, *, bundle: str = "") -> None:
    """Write the trend of runs as a page."""
    write_page(
        out,
        "history.html",
        bundle=bundle,
        charts=trends(runs, SCREEN),
        runs=[(run, _run_cells(run), mark_of(run).value) for run in reversed(runs)],
        plans=list(dict.fromkeys(run.plan for run in runs)),
    )


def _shown(comparison: Comparison) -> list[FigureChange]:
    return [
        change
        for change in _sorted(comparison)
        if change.outcome in (ChangeOutcome.WORSE, ChangeOutcome.BETTER) or not change.request
    ]


def _sorted(comparison: Comparison) -> list[FigureChange]:
    return sorted(
        comparison.changes,
        key=lambda change: (
            bool(change.request),
            _ORDER.index(change.outcome),
            -abs(change.change),
        ),
    )


def _columns(changes: Sequence[FigureChange]) -> list[Column]:
    cells = [_cells(change) for change in changes]
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


def _cells(change: FigureChange) -> dict[str, object]:
    surely = change.low or change.high
    points = change.figure == "error_rate"
    return {
        "request": shorten(plain(change.request), _LONGEST) or "all requests",
        "figure": _FIGURES.get(change.figure) or change.figure.replace("_", " "),
        "before": _amount(change.figure, change.before),
        "after": _amount(change.figure, change.after),
        "change": _signed(change.change, points=points) if _is_known(change) else "–",
        "interval": f"{_signed(change.low, points=points).partition(' ')[0]} … "
        f"{_signed(change.high, points=points)}"
        if surely
        else "",
        "outcome": change.outcome.value,
        "class": _CLASSES[change.outcome],
        "raw": change.change,
    }


def _amount(figure: str, value: float) -> str:
    match figure:
        case "throughput":
            return format_rate(value)
        case "error_rate":
            return format_percent(value)
        case _:
            return format_duration(round(value * 1e9)) if value else "–"


def _is_known(change: FigureChange) -> bool:
    """Whether both runs have the figure: steps that failed at once have no latency."""
    return change.figure in ("throughput", "error_rate") or bool(change.before and change.after)


def _signed(change: float, *, points: bool) -> str:
    # Adding zero makes that of `-0.0` positive.
    if points:
        return f"{round(100 * change, 2) + 0.0:+.2f} points"
    return f"{round(100 * change, 1) + 0.0:+.1f} %"


def _run_cells(run: RunResult) -> tuple[str, ...]:
    totals = run.totals
    some = totals.total_requests > 0
    return (
        run.started[:16].replace("T", " "),
        f"{verdict_word(run)}, invalid" if is_doubtful(run) else verdict_word(run),
        f"{totals.total_requests:,}",
        f"{totals.requests_per_second:,.1f}",
        format_percent(totals.error_rate / 100) if some else "–",
        format_duration(round(totals.average_response_time * 1e9)) if totals.has_latency else "–",
        format_duration(round(totals.p95_response_time * 1e9)) if totals.has_latency else "–",
        plain(run.run_id),
    )


def _verdict_style(run: RunResult) -> str:
    return {Verdict.PASS: "green", Verdict.WARN: "yellow"}.get(mark_of(run), "bold red")


def _spark(values: Sequence[float]) -> str:
    return "".join(_bars(values))


def _bars(values: Sequence[float]) -> Iterator[str]:
    most = max(values, default=0.0)
    for value in values:
        share = min(max(value, 0.0) / most, 1.0) if most > 0 else 0.0
        yield _BARS[round(share * (len(_BARS) - 1))]
