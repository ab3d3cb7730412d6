"""A cross-check for people: the table, what differs, why, and who took no part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from planrunner.cross_check.differences import CPU, FAILED, RATE, TIMES, Difference
from planrunner.cross_check.figures import RoundFigures
from planrunner.cross_check.judgement import FEWEST_ROUNDS
from planrunner.cross_check.result import CrossCheck, FigureOverRounds, over_rounds
from planrunner.cross_check.rounds import ToolRounds
from planrunner.report.columns import Column, room_of, table
from planrunner.report.plain import fold, plain
from planrunner.units import (
    NS_PER_US,
    format_count,
    format_duration,
    format_percent,
    format_rate,
)

__all__ = ["print_cross_check", "round_words"]

_NONE: Final = "-"
_MOST_NOTICES: Final = 5


def round_words(figures: RoundFigures) -> str:
    """Return the figures of a round in a line."""
    parts = [format_rate(figures.per_second)]
    if figures.times_ns:
        parts.append(f"p95 {format_duration(figures.times_ns[1])}")
    parts.append(f"{figures.failures:,} failed" if figures.failures else "none failed")
    return " · ".join(parts)


def print_cross_check(found: CrossCheck, console: Console) -> None:
    """Print all of it."""
    width = room_of(console)
    lines = [
        *_head(found, width),
        *_table(found, width),
        Text(),
        *(line for other in found.others for line in _comparison(found, other, width)),
        *_notes(found, width),
    ]
    console.print()
    for line in lines:
        console.print(line, soft_wrap=True)


def _head(found: CrossCheck, width: int) -> Iterator[Text]:
    done = len(found.own.rounds)
    words = f"{plain(found.source)}: {plain(found.load)}, {format_count(done, 'round')}"
    yield from _folded(words, width, style="bold")
    if found.interrupted:
        of = f"interrupted after {done} of {format_count(found.wanted, 'round')}"
        yield from _folded(f"{of}: {plain(found.interrupted)}", width, style="bold yellow")
    yield Text()


def _table(found: CrossCheck, width: int) -> list[Text]:
    shown = [one for one in found.tools if one.shown]
    if not shown:
        return [Text("nothing was measured", style="bold red")]

    def column(figure: object, cells: Sequence[str], rank: int) -> Column:
        return Column(getattr(figure, "title", ""), cells, rank=rank)

    rates = [over_rounds(one, RATE) for one in shown]
    failed = [over_rounds(one, FAILED) for one in shown]
    columns = [
        Column("tool", [one.name for one in shown], floor=10),
        column(RATE, [_with_spread(one, f"{one.median:,.0f}" if one else "") for one in rates], 0),
    ]
    for rank, figure in zip((3, 0, 2), TIMES, strict=True):
        times = [over_rounds(one, figure) for one in shown]
        cells = [*map(_time_cell, shown, times)]
        if figure is TIMES[1]:
            cells = [_with_spread(one, cell) for one, cell in zip(times, cells, strict=True)]
        columns.append(column(figure, cells, rank))
    columns += [
        column(FAILED, [_percent(one) for one in failed], 1),
        column(CPU, [_cpu(over_rounds(one, CPU)) for one in shown], 1),
    ]
    return table(columns, width)


def _time_cell(one: ToolRounds, figure: FigureOverRounds | None) -> str:
    step_ns = one.checked.tool.step_ns
    if figure is None:
        return _NONE
    if figure.median < step_ns:
        return f"< {format_duration(step_ns)}"
    return format_duration(figure.median)


def _with_spread(figure: FigureOverRounds | None, cell: str) -> str:
    if figure is None:
        return _NONE
    if not figure.median or figure.rounds < FEWEST_ROUNDS:
        return cell
    return f"{cell} ±{figure.spread / figure.median:.0%}"


def _percent(figure: FigureOverRounds | None) -> str:
    return _NONE if figure is None else format_percent(figure.median) if figure.most else "none"


def _cpu(figure: FigureOverRounds | None) -> str:
    return _NONE if figure is None else format_duration(round(figure.median * NS_PER_US))


def _comparison(found: CrossCheck, other: ToolRounds, width: int) -> Iterator[Text]:
    if other.failed:
        first, *rest = other.failed.split("\n")
        yield from _folded(f"{other.name} failed: {plain(first)}", width, style="bold red")
        for line in rest:
            yield Text(f"  {plain(line)}", style="red")
        return
    if not found.own.shown or not other.shown:
        return
    least = min(len(found.own.rounds), len(other.rounds))
    if least < FEWEST_ROUNDS:
        words = f"{other.name}: from {format_count(least, 'whole round')} noise can't be judged"
        yield from _folded(words, width, style="dim")
        return
    differing = found.differences(other)
    if not differing:
        yield from _folded(f"{other.name}: no difference beyond noise", width)
        return
    words = ", ".join(map(_difference_words, differing))
    yield from _folded(f"{other.name}: {words}", width, style="yellow")
    why = found.reasons(other) or ["no reason is known to planrunner"]
    for one in why:
        yield from _folded(plain(one), width, lead="  - ")


def _difference_words(one: Difference) -> str:
    judged = one.judged
    if one.figure is FAILED:
        shares = f"{format_percent(judged.theirs)} in place of {format_percent(judged.ours)}"
        return f"failures {shares}"
    share = judged.share
    if share is None:
        return f"{one.figure.title} differs"
    noise = judged.noise / judged.ours
    kind = "within rounding" if judged.is_rounding else f"noise {noise:.0%}"
    return f"{one.figure.title} {share:+.0%} ({kind})"


def _notes(found: CrossCheck, width: int) -> Iterator[Text]:
    for one in found.tools:
        for words in one.checked.caveats:
            lead = f"{one.name} sends otherwise: "
            yield from _folded(plain(words), width, lead=lead, style="yellow")
        for words in one.notices[:_MOST_NOTICES]:
            yield from _folded(plain(words), width, lead="notice: ", style="yellow")
    for left in found.left_out:
        words = f"{left.name}: {plain(left.reason)}"
        words = f"{words}; {left.hint}" if left.hint else words
        yield from _folded(words, width, lead="left out: ", style="dim")


def _folded(words: str, width: int, *, lead: str = "", style: str = "") -> Iterator[Text]:
    before = lead
    for line in fold(words, width - len(lead)):
        yield Text(f"{before}{line}", style=style)
        before = " " * len(lead)
