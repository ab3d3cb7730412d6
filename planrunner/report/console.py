"""The summary a run ends with: verdict, worst first, on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from planrunner.results.model import Judgement, Row, RunResult, ValidityLevel, Verdict
from planrunner.units import format_duration

__all__ = ["open_console", "print_summary", "verdict_of"]

_STYLE = {
    Verdict.PASS: "green",
    Verdict.WARN: "yellow",
    Verdict.FAIL: "bold red",
    Verdict.NO_DATA: "bold red",
    Verdict.NOT_APPLICABLE: "dim",
}
_SEVERITY = [
    Verdict.FAIL,
    Verdict.NO_DATA,
    Verdict.WARN,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
]
# More rows than this don't fit one screen; the report has them all.
_MAX_REQUESTS = 15


def open_console(out: TextIO, *, width: int | None = None, color: bool | None = None) -> Console:
    """Return a console on `out`; NO_COLOR and pipes are honoured unless `color` says otherwise."""
    return Console(
        file=out, width=width, highlight=False, no_color=None if color is None else not color
    )


def verdict_of(result: RunResult) -> Verdict:
    """Return the worst verdict of the run's thresholds; a run that didn't finish has failed."""
    worst = min((_SEVERITY.index(j.verdict) for j in result.judgements), default=3)
    verdict = _SEVERITY[worst]
    if verdict is Verdict.NOT_APPLICABLE:
        verdict = Verdict.PASS
    return Verdict.FAIL if verdict is Verdict.NO_DATA else verdict


def print_summary(result: RunResult, console: Console, *, files: Sequence[str] = ()) -> None:
    """Print the summary of a finished run to `console`."""
    console.print()
    console.print(_headline(result))
    console.print(_totals(result))
    requests = [row for row in result.rows if row.by == "request" and not row.phase]
    if requests:
        console.print(Padding(_request_table(requests), (1, 0, 0, 0)))
    if len(requests) > _MAX_REQUESTS:
        console.print(f"  … and {len(requests) - _MAX_REQUESTS} more requests in the report")
    if result.judgements:
        console.print(Padding(_threshold_table(result.judgements), (1, 0, 0, 0)))
    for notice in result.notices:
        console.print(Text(f"notice: {notice}", style="yellow"))
    _print_validity(result, console)
    for file in files:
        # soft_wrap: a path that was broken over two lines cannot be opened.
        console.print(Text(file, style="cyan"), soft_wrap=True)


def _headline(result: RunResult) -> Text:
    verdict = verdict_of(result)
    text = Text()
    text.append(f" {verdict.value.upper()} ", style=f"reverse {_STYLE[verdict]}")
    text.append(f" {result.plan}", style="bold")
    if result.profile:
        text.append(f" ({result.profile})")
    took = format_duration(round(result.duration_seconds * 1e9))
    text.append(f"  run {result.run_id}, seed {result.seed}, {took}")
    if result.ended_because != "finished":
        text.append(f"\n {result.ended_because}", style="bold red")
    return text


def _totals(result: RunResult) -> Text:
    totals = result.totals
    parts = [
        f"{totals.total_requests:,} requests",
        f"{totals.requests_per_second:,.1f}/s",
        f"{totals.failed_requests:,} failed ({totals.error_rate:.2f} %)",
        f"p95 {format_duration(round(totals.p95_response_time * 1e9))}",
    ]
    for count, word in (
        (result.warmup, "in the warm-up"),
        (result.aborted, "aborted"),
        (result.unmeasured, "not measured"),
    ):
        if count:
            parts.append(f"{count:,} {word}")
    return Text(" " + " · ".join(parts))


def _request_table(rows: Sequence[Row]) -> Table:
    """Return the requests, most failures first, then slowest p95 first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("request", overflow="ellipsis", no_wrap=True, min_width=16)
    for title in ("count", "failed", "per s", "p50", "p95", "p99", "max"):
        table.add_column(title, justify="right", no_wrap=True)
    worst_first = sorted(rows, key=lambda r: (-r.failed, -r.latency_ns.get("p95", 0), r.name))
    for row in worst_first[:_MAX_REQUESTS]:
        times = [
            format_duration(row.latency_ns[p]) if row.count else "-"
            for p in ("p50", "p95", "p99", "max")
        ]
        failed = Text(f"{row.failed:,}", style="bold red" if row.failed else "")
        if row.failures:
            failed.append(f" {_kinds(row)}", style="red")
        table.add_row(
            Text(row.name), f"{row.count:,}", failed, f"{row.requests_per_second:,.1f}", *times
        )
    return table


def _kinds(row: Row) -> str:
    most = sorted(row.failures.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(kind for kind, _ in most[:2])


def _threshold_table(judgements: Sequence[Judgement]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("verdict", no_wrap=True)
    table.add_column("threshold", overflow="fold")
    table.add_column("observed", justify="right", overflow="fold")
    for judgement in sorted(judgements, key=lambda j: _SEVERITY.index(j.verdict)):
        observed = judgement.observed
        if judgement.reason:
            observed = f"{observed} ({judgement.reason})" if observed else judgement.reason
        table.add_row(
            Text(judgement.verdict.value, style=_STYLE[judgement.verdict]),
            Text(judgement.threshold),
            Text(observed),
        )
    return table


def _print_validity(result: RunResult, console: Console) -> None:
    if result.validity.level is ValidityLevel.VALID:
        return
    console.print(Text(f"the run is {result.validity.level.value}:", style="bold yellow"))
    for reason in result.validity.reasons:
        console.print(Text(f"  - {reason}"))
