"""The two tables of the summary as blocks of lines: a header, then a block for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from planrunner.report.columns import Column, table
from planrunner.report.findings import ROUGH_NOTE, ResultFinding, is_rough, most_first
from planrunner.report.plain import fold, plain, shorten
from planrunner.results.model import Row, Verdict
from planrunner.units import format_duration

__all__ = ["request_blocks", "rough_note", "threshold_blocks"]

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
_MOST_KINDS = 2
# Of one sentence, where there is room for all of it: a name in it may have thousands of letters.
_MOST_LINES = 8


def threshold_blocks(
    findings: Sequence[ResultFinding], width: int, *, whole: bool = False
) -> list[list[Text]]:
    """Return the header and each finding, those that hold on one line unless `whole`."""
    if not findings:
        return []
    verdict_width = max(len("verdict"), *(len(finding.word) for finding in findings))
    if width < _STACKED_BELOW:
        header = Text(f" {'verdict':{verdict_width}}  threshold", style="dim")
        return [[header], *(_stacked(f, width, verdict_width, whole=whole) for f in findings)]
    most = _MOST_OBSERVED_WHERE_WIDE if width >= _WIDE else _MOST_OBSERVED
    observed = [shorten(plain(finding.observed), most) for finding in findings]
    limits = [shorten(_limits(finding), most) for finding in findings]
    sizes = (
        max(map(cell_len, ("observed", *observed))),
        max(map(cell_len, ("limit", *limits))),
    )
    text_width = width - 1 - verdict_width - sum(sizes) - 3 * 2
    text_width = min(text_width, max(cell_len(plain(f.threshold)) for f in findings))
    header = _beside("verdict", "threshold", ("observed", "limit"), sizes, text_width)
    header.stylize("dim")
    blocks = [[header]]
    for n, finding in enumerate(findings):
        first, *rest = _sentence(finding, text_width, whole=whole)
        amounts = (observed[n], limits[n])
        line = _beside(finding.word.ljust(verdict_width), first, amounts, sizes, text_width)
        indent = " " * (verdict_width + 3)
        line.stylize(_STYLES[finding.verdict], 1, 1 + len(finding.word))
        lines = [line, *(Text(f"{indent}{more}") for more in rest)]
        blocks.append(lines + _reason(finding, width, indent))
    return blocks


def request_blocks(rows: Sequence[Row], width: int) -> list[list[Text]]:
    """Return the header and a line for each of `rows`, in their order."""
    if not rows:
        return []

    def times(name: str, *, title: str = "", rank: int = 0) -> Column:
        values = [row.service_ns if title else row.latency_ns for row in rows]
        cells = [
            format_duration(value.get(name, 0)) if row.has_latency else "-"
            for row, value in zip(rows, values, strict=True)
        ]
        marks = ["*" if row.has_latency and is_rough(name, row.count) else "" for row in rows]
        room = max(map(len, marks))  # so that numbers stay below each other
        marked = [cell + mark.ljust(room) for cell, mark in zip(cells, marks, strict=True)]
        return Column((title or name) + " " * room, marked, rank=rank)

    def each(cell: Callable[[Row], str]) -> list[str]:
        return [cell(row) for row in rows]

    # Where requests wait for their turn, service times say what the target did.
    waits = any(_waits(row) for row in rows)
    columns = (
        Column("request", each(_name), floor=max(12, min(width // 4, 32))),
        Column("count", each(lambda row: f"{row.count:,}"), rank=1),
        Column(
            "failed",
            each(lambda row: f"{row.failed:,}"),
            styles=each(lambda row: "bold red" if row.failed else ""),
        ),
        Column("per s", each(lambda row: f"{row.requests_per_second:,.1f}"), rank=7),
        times("p50", rank=5),
        times("p95"),
        times("p95", title="service p95", rank=3 if waits else 8),
        times("p99", rank=2),
        times("max", rank=6),
        Column("failed by", each(_kinds), styles=["red"] * len(rows), rank=4, floor=14),
    )
    return [[Text.assemble(" ", line)] for line in table(columns, width - 1)]


def rough_note(rows: Sequence[Row], blocks: Sequence[Sequence[Text]], width: int) -> list[Text]:
    """Return what the marks in the `blocks` of `rows` mean, if there are any."""
    titles = blocks[0][0].plain.split() if blocks else []
    if not any(
        row.has_latency and is_rough(name, row.count)
        for name in ("p50", "p95", "p99")
        if name in titles
        for row in rows
    ):
        return []
    return [Text(shorten(f" * {ROUGH_NOTE}", width), style="dim")]


def _waits(row: Row) -> bool:
    return row.has_latency and row.service_ns.get("p95", 0) < 0.9 * row.latency_ns["p95"]


def _name(row: Row) -> str:
    return plain(row.name) or "(no name)"


def _kinds(row: Row) -> str:
    kinds = [f"{count:,} {plain(kind)}" for kind, count in most_first(row.failures)]
    more = len(kinds) - _MOST_KINDS
    return ", ".join(kinds[:_MOST_KINDS]) + (f", +{more}" if more > 0 else "")


def _limits(finding: ResultFinding) -> str:
    return " / ".join(map(plain, finding.limits))


def _sentence(finding: ResultFinding, width: int, *, whole: bool) -> list[str]:
    text = plain(finding.threshold)
    if whole or not finding.is_fine:
        return fold(text, width, most=_MOST_LINES if whole else 2) or [""]
    return [shorten(text, width)]


def _beside(
    word: str, sentence: str, amounts: tuple[str, str], sizes: tuple[int, int], width: int
) -> Text:
    line = Text(f" {word}  {sentence}{' ' * (width - cell_len(sentence))}")
    for amount, size in zip(amounts, sizes, strict=True):
        line.append(f"  {' ' * (size - cell_len(amount))}{amount}")
    line.rstrip()
    return line


def _stacked(finding: ResultFinding, width: int, verdict_width: int, *, whole: bool) -> list[Text]:
    indent = " " * (verdict_width + 3)
    first, *rest = _sentence(finding, width - len(indent), whole=whole)
    line = Text.assemble(
        " ", (finding.word, _STYLES[finding.verdict]), " " * (verdict_width - len(finding.word))
    )
    lines = [line.append(f"  {first}"), *(Text(f"{indent}{more}") for more in rest)]
    amounts = [plain(finding.observed), f"limit {_limits(finding)}" if finding.limits else ""]
    told = ", ".join(filter(None, amounts))
    lines += [Text(f"{indent}{more}") for more in fold(told, width - len(indent), most=2)]
    return lines + _reason(finding, width, indent)


def _reason(finding: ResultFinding, width: int, indent: str) -> list[Text]:
    if not finding.reason:
        return []
    lines = fold(plain(finding.reason), width - len(indent), most=2)
    return [Text(f"{indent}{line}", style="dim") for line in lines]
