"""The tables of the summary, as lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from planrunner.report.columns import Column, blocks
from planrunner.report.components import CALL_NOTE
from planrunner.report.distinct import fold_each
from planrunner.report.findings import (
    ROUGH_NOTE,
    ResultFinding,
    broken_first,
    failed_expectations,
    failure_words,
    find,
    is_default,
    is_rough,
    phases_of,
    requests_of,
    shown_failures,
    tally,
)
from planrunner.report.own_metrics import has_work, work_rate_words
from planrunner.report.plain import flow, fold, plain, shorten
from planrunner.results.model import Row, RunResult, Verdict
from planrunner.units import format_duration, format_rate, format_size
from planrunner.values import dataclass

__all__ = ["call_lines", "expectation_lines", "request_lines", "threshold_lines"]

_STYLES: Final = {
    Verdict.PASS: "green",
    Verdict.WARN: "yellow",
    Verdict.FAIL: "bold red",
    Verdict.NO_DATA: "bold red",
    Verdict.NOT_APPLICABLE: "dim",
}
# Beside a narrower sentence, observed and limit would leave it a few letters a line.
_STACKED_BELOW = 60
_MOST_OBSERVED = 24
_MOST_OBSERVED_WHERE_WIDE = 30
_WIDE = 100
_WIDEST_SENTENCE: Final = 90
# Of one sentence: a name in it may have thousands of letters.
_MOST_LINES: Final = 8
_UNFOLDED: Final = 10_000
# A run has at most 500 names; with phases there can be thousands, which only the report lists.
_MOST_ROWS: Final = 1_000
_FEW_ROWS: Final = 20


def threshold_lines(result: RunResult, width: int | None) -> list[Text]:
    """Return how many thresholds there are and what came of each, the worst first.

    Args:
        result: Of which run.
        width: Of the terminal; None where there is none.
    """
    findings = find(result.judgements)
    if not findings:
        return [Text(" no threshold was judged", style="dim")]
    counted = tally((one.pair, one.verdict) for one in result.judgements)
    style = "red" if counted.broken or counted.without_data else "yellow" if counted.warned else ""
    of_all, *of_each = counted.words
    lines = [
        Text(f" {line}", style=style or "dim")
        for line in fold(f"{of_all}: {', '.join(of_each)}", (width or _UNFOLDED) - 1)
    ]
    first = sum(not finding.is_fine for finding in findings)
    shown = findings if len(findings) <= _MOST_ROWS else findings[: first + _FEW_ROWS]
    is_narrow = width is not None and width < _STACKED_BELOW
    lines += _stacked_table(shown, width or 0) if is_narrow else _wide(shown, width)
    if left := len(findings) - len(shown):
        lines.append(Text(f" … {left:,} more in the report", style="dim"))
    if is_default(result.judgements):
        said = "the plan has no thresholds, so this one was applied"
        lines += [Text(f" {line}", style="dim") for line in fold(said, (width or _UNFOLDED) - 1)]
    return lines


def _wide(findings: Sequence[ResultFinding], width: int | None) -> list[Text]:
    """Return the table with what was observed and its limit beside each sentence."""
    verdict_width = max(len("verdict"), *(len(finding.word) for finding in findings))
    most = _UNFOLDED if width is None else _MOST_OBSERVED
    if width is not None and width >= _WIDE:
        most = _MOST_OBSERVED_WHERE_WIDE
    observed = [shorten(plain(finding.observed), most) for finding in findings]
    limits = [shorten(_limits(finding), most) for finding in findings]
    sizes = (
        max(map(cell_len, ("observed", *observed))),
        max(map(cell_len, ("limit", *limits))),
    )
    room = _WIDEST_SENTENCE
    if width is not None:
        room = width - 1 - verdict_width - sum(sizes) - 3 * 2
    text_width = min(room, max(cell_len(plain(f.threshold)) for f in findings))
    text_width = max(text_width, len("threshold"))
    titles = ("observed", "limit")
    header = _beside("verdict".ljust(verdict_width), "threshold", titles, sizes, text_width)
    header.stylize("dim")
    lines = [header]
    indent = " " * (verdict_width + 3)
    texts = [plain(finding.threshold) for finding in findings]
    # Without a terminal a sentence is found by its words, so it stays on one line.
    folded = [[text] for text in texts] if width is None else _folded(texts, text_width)
    for n, finding in enumerate(findings):
        first, *rest = folded[n]
        word = finding.word.ljust(verdict_width)
        line = _beside(word, first, (observed[n], limits[n]), sizes, text_width)
        line.stylize(_STYLES[finding.verdict], 1, 1 + len(finding.word))
        lines += [line, *(Text(f"{indent}{more}") for more in rest)]
        lines += _reason(finding, width or _UNFOLDED, indent)
    return lines


def _folded(texts: Sequence[str], width: int) -> list[list[str]]:
    found = fold_each(texts, [width] * len(texts), most=_MOST_LINES)
    return [lines or [""] for lines in found]


def _stacked_table(findings: Sequence[ResultFinding], width: int) -> list[Text]:
    verdict_width = max(len("verdict"), *(len(finding.word) for finding in findings))
    texts = [plain(finding.threshold) for finding in findings]
    folded = _folded(texts, width - verdict_width - 3)
    header = Text(f" {'verdict':{verdict_width}}  threshold", style="dim")
    stacked = (
        _stacked(finding, lines, width, verdict_width)
        for finding, lines in zip(findings, folded, strict=True)
    )
    return [header, *(line for lines in stacked for line in lines)]


def request_lines(result: RunResult, width: int | None) -> list[Text]:
    """Return the requests, phase by phase where there are several, worst first.

    Args:
        result: Of which run.
        width: Of the terminal; None where there is none.
    """
    rows = _request_rows(result)
    if not rows:
        return []
    failures, expected = failure_words(result), failed_expectations(result)
    header, *found = blocks(_columns(rows), None if width is None else width - 1)
    lines = [*header]
    for entry, block in zip(rows, found, strict=True):
        lines += block
        told = []
        if not entry.is_phase:
            told = shown_failures(failures.get(entry.key, {}), expected=expected.get(entry.key, {}))
        indent = "   " + entry.indent
        room = max((width or _UNFOLDED) - len(indent) - 1, 1)
        lines += [
            Text(f"{indent}{plain(line)}", style="red") for line in flow(told, room, separator=" ")
        ]
        if entry.more:
            lines.append(Text(f"{entry.indent}{entry.more}", style="dim"))
    note = _rough_note([entry.row for entry in rows], lines[0].plain.split())
    shown = [*lines, *(note if width is None else [_shortened(line, width - 1) for line in note])]
    return [Text.assemble(" ", line) for line in shown]


def expectation_lines(result: RunResult, width: int | None) -> list[Text]:
    """Return what replies were expected to be and how often they were, broken ones first.

    Args:
        result: Of which run.
        width: Of the terminal; None where there is none.
    """
    found = broken_first(result.expectations)
    if not found:
        return []
    shown = found if len(found) <= _MOST_ROWS else found[:_FEW_ROWS]
    styles = [("yellow" if one.is_soft else "bold red") if one.broken else "" for one in shown]
    words = [
        f"{plain(one.request)}: {plain(one.expected)}{' (soft)' if one.is_soft else ''}"
        for one in shown
    ]
    columns = [
        Column("expectation", words, floor=12, usual=18),
        Column("held", [f"{one.held:,}" for one in shown], usual=7),
        Column("broken", [f"{one.broken:,}" for one in shown], styles, usual=7),
    ]
    table = blocks(columns, None if width is None else width - 1)
    lines = [Text.assemble(" ", line) for block in table for line in block]
    if left := len(found) - len(shown):
        lines.append(Text(f" … {left:,} more in the report", style="dim"))
    return lines


def call_lines(result: RunResult, width: int | None) -> list[Text]:
    """Return how components were called, and what that costs by itself.

    Args:
        result: Of which run.
        width: Of the terminal; None where there is none.
    """
    shown = result.calls[:_MOST_ROWS]
    if not shown:
        return []
    columns = [
        Column("component", [plain(one.request) for one in shown], floor=12, usual=18),
        Column("called", [one.how for one in shown], rank=2, usual=8),
        Column("empty call", [format_duration(one.empty_ns) for one in shown], usual=10),
        Column("calls", [f"{one.calls:,}" for one in shown], rank=1, usual=7),
        Column(
            "collections",
            ["-" if one.collections is None else f"{one.collections:,}" for one in shown],
            rank=5,
            usual=7,
        ),
    ]
    if any(one.cpu_ns is not None for one in shown):
        cpu = [None if one.cpu_ns is None else format_duration(one.cpu_ns) for one in shown]
        peak = [None if one.peak_rss is None else format_size(one.peak_rss) for one in shown]
        columns += [
            Column("avg cpu", [one or "-" for one in cpu], rank=3, usual=9),
            Column("peak rss", [one or "-" for one in peak], rank=4, usual=9),
        ]
    table = blocks(columns, None if width is None else width - 1)
    note = CALL_NOTE
    lines = [Text.assemble(" ", line) for block in table for line in block]
    return [*lines, Text(f" {note}" if width is None else _shortened_note(note, width))]


def _shortened_note(note: str, width: int) -> str:
    return f" {shorten(note, width - 1)}"


@dataclass(frozen=True, slots=True)
class _RequestLine:
    """A row of the table: a phase, or a request in it."""

    row: Row
    indent: str = ""
    more: str = ""

    @property
    def is_phase(self) -> bool:
        return self.row.by == "phase"

    @property
    def key(self) -> tuple[str, str]:
        return self.row.phase, self.row.name


def _request_rows(result: RunResult) -> list[_RequestLine]:
    phases = phases_of(result)
    if len(phases) < 2:
        return _few(requests_of(result), "", len(result.rows))
    count = sum(len(requests_of(result, phase.name)) for phase in phases)
    entries = []
    for phase in phases:
        entries += [_RequestLine(phase), *_few(requests_of(result, phase.name), "  ", count)]
    return entries


def _few(rows: Sequence[Row], indent: str, of_all: int) -> list[_RequestLine]:
    """Return the rows, or the first of very many and how many more there are."""
    shown = rows if of_all <= _MOST_ROWS else rows[:_FEW_ROWS]
    entries = [_RequestLine(row, indent) for row in shown]
    if left := len(rows) - len(shown):
        entries[-1] = replace(entries[-1], more=f"… {left:,} more in the report")
    return entries


def _columns(entries: Sequence[_RequestLine]) -> list[Column]:
    rows = [entry.row for entry in entries]
    bold = ["bold" if entry.is_phase else "" for entry in entries]

    def each(cell: Callable[[Row], str]) -> list[str]:
        return [cell(row) for row in rows]

    def times(name: str, *, title: str = "", rank: int = 0) -> Column:
        values = [row.service_ns if title else row.latency_ns for row in rows]
        cells = [
            format_duration(value.get(name, 0)) if row.has_latency and value else "-"
            for row, value in zip(rows, values, strict=True)
        ]
        marks = [
            "*" if row.has_latency and value and is_rough(name, row.count) else ""
            for row, value in zip(rows, values, strict=True)
        ]
        room = max(map(len, marks))  # so that numbers stay below each other
        marked = [cell + mark.ljust(room) for cell, mark in zip(cells, marks, strict=True)]
        return Column((title or name) + " " * room, marked, bold, rank=rank, usual=7)

    has_phases = any(entry.is_phase for entry in entries)
    names = [f"{entry.indent}{plain(entry.row.name) or '(no name)'}" for entry in entries]
    failed = ["bold red" if row.failed else style for row, style in zip(rows, bold, strict=True)]
    return [
        Column("phase, request" if has_phases else "request", names, bold, floor=12, usual=18),
        Column("count", each(lambda row: f"{row.count:,}"), bold, rank=1, usual=7),
        Column("failed", each(lambda row: f"{row.failed:,}"), failed, usual=6),
        Column("rate", each(lambda row: format_rate(row.requests_per_second)), bold, 3, usual=8),
        *([Column("work", each(work_rate_words), bold, 4)] if has_work(rows) else []),
        times("p50", rank=5),
        times("p95"),
        times("p99", rank=2),
        times("max", rank=6),
        times("p95", title="service p95", rank=8),
    ]


def _rough_note(rows: Sequence[Row], titles: Sequence[str]) -> list[Text]:
    """Return what the marks below these titles mean, if there are any."""
    if not any(
        row.has_latency and is_rough(name, row.count)
        for name in ("p50", "p95", "p99")
        if name in titles
        for row in rows
    ):
        return []
    return [Text(f"* {ROUGH_NOTE}", style="dim")]


def _shortened(line: Text, width: int) -> Text:
    return Text(shorten(line.plain, width), style=line.style)


def _limits(finding: ResultFinding) -> str:
    return " / ".join(map(plain, finding.limits))


def _beside(
    word: str, sentence: str, amounts: tuple[str, str], sizes: tuple[int, int], width: int
) -> Text:
    line = Text(f" {word}  {sentence}{' ' * max(width - cell_len(sentence), 0)}")
    for amount, size in zip(amounts, sizes, strict=True):
        line.append(f"  {' ' * (size - cell_len(amount))}{amount}")
    line.rstrip()
    return line


def _stacked(
    finding: ResultFinding, folded: Sequence[str], width: int, verdict_width: int
) -> list[Text]:
    indent = " " * (verdict_width + 3)
    first, *rest = folded
    line = Text.assemble(
        " ", (finding.word, _STYLES[finding.verdict]), " " * (verdict_width - len(finding.word))
    )
    lines = [line.append(f"  {first}"), *(Text(f"{indent}{more}") for more in rest)]
    amounts = [plain(finding.observed), f"limit {_limits(finding)}" if finding.limits else ""]
    told = ", ".join(filter(None, amounts))
    lines += [Text(f"{indent}{more}") for more in fold(told, width - len(indent))]
    return lines + _reason(finding, width, indent)


def _reason(finding: ResultFinding, width: int, indent: str) -> list[Text]:
    if not finding.reason:
        return []
    lines = fold(plain(finding.reason), width - len(indent))
    return [Text(f"{indent}{line}", style="dim") for line in lines]
