"""A cross-check for people: the table, what differs, why, and who took no part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from rich.console import Console
from rich.text import Text

from planrunner.cross_check.differences import (
    CPU,
    FAILED,
    RATE,
    START_CPU,
    TIMES,
    Difference,
    ToolFigure,
)
from planrunner.cross_check.figures import RoundFigures
from planrunner.cross_check.judgement import FEWEST_ROUNDS
from planrunner.cross_check.result import CrossCheck, FigureOverRounds, over_rounds
from planrunner.cross_check.rounds import ToolRounds
from planrunner.report.columns import Column, room_of, table
from planrunner.report.plain import fold, plain
from planrunner.units import (
    NS_PER_MS,
    NS_PER_US,
    format_count,
    format_duration,
    format_percent,
    format_rate,
)

__all__ = ["print_cross_check", "round_words"]

_Cell = Callable[[ToolRounds, FigureOverRounds], str]

_NONE: Final = "-"
_HIDDEN: Final = "in the noise"
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
    shown = [one for one in found.tools if one.shown or one.failed]
    if not any(one.shown for one in shown):
        return [Text("nothing was measured", style="bold red")]

    def column(figure: ToolFigure, rank: int, cell: _Cell) -> Column:
        figures = [None if one.failed else over_rounds(one, figure) for one in shown]
        cells = [
            _NONE if figure is None else cell(one, figure)
            for one, figure in zip(shown, figures, strict=True)
        ]
        if figure is RATE:
            cells = [
                "failed" if one.failed else cell for one, cell in zip(shown, cells, strict=True)
            ]
        return Column(figure.title, cells if any(figures) else [""] * len(shown), rank=rank)

    columns = [
        Column("tool", [one.name for one in shown], floor=10),
        column(RATE, 0, lambda _, rate: _with_spread(rate, f"{rate.median:,.0f}")),
        column(TIMES[0], 3, _time_cell),
        column(TIMES[1], 0, lambda one, time: _with_spread(time, _time_cell(one, time))),
        column(TIMES[2], 2, _time_cell),
        column(FAILED, 1, lambda _, share: format_percent(share.median) if share.most else "none"),
        column(CPU, 1, _cpu_cell),
        column(START_CPU, 4, lambda _, cpu: format_duration(round(cpu.median * 1e3) * NS_PER_MS)),
    ]
    return table(columns, width)


def _time_cell(one: ToolRounds, figure: FigureOverRounds) -> str:
    step_ns = one.checked.tool.step_ns
    if figure.median < step_ns:
        return f"< {format_duration(step_ns)}"
    return format_duration(figure.median)


def _cpu_cell(_: ToolRounds, figure: FigureOverRounds) -> str:
    if figure.median <= 0:
        return _HIDDEN
    return _with_spread(figure, format_duration(round(figure.median * NS_PER_US)))


def _with_spread(figure: FigureOverRounds, cell: str) -> str:
    if not figure.median or figure.rounds < FEWEST_ROUNDS:
        return cell
    return f"{cell} ±{figure.spread / figure.median:.0%}"


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
    if found.own.shown and found.own.warm_up is None:
        words = (
            "CPU/request includes the start of each tool: the load can't be shortened for a warm-up"
        )
        yield from _folded(words, width, style="dim")
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
