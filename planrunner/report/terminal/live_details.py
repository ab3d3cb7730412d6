"""What a live view shows where there is room: the past minute, user classes, requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from planrunner.report.columns import Column, table
from planrunner.report.plain import plain, shorten
from planrunner.report.terminal.progress import Progress, RequestProgress
from planrunner.units import format_duration

__all__ = ["detail_lines"]

_BARS: Final = "▁▂▃▄▅▆▇█"
_LEAST_SECONDS: Final = 3
"""Fewer draw no line."""

_LEAST_ROWS: Final = 2
_MOST_ROWS: Final = 30
_NARROW: Final = 40


def detail_lines(
    progress: Progress, width: int, height: int, *, ascii_only: bool = False
) -> list[Text]:
    """Return at most `height` lines, none wider than `width`.

    Args:
        progress: What to show.
        width: Of the terminal.
        height: How many lines there is room for.
        ascii_only: Whether the terminal knows no other letters, so that no line is drawn.
    """
    if width < _NARROW:
        return []
    lines = _classes(progress, width)[: max(height, 0)]
    past = [] if ascii_only else _past(progress, width)
    if len(lines) + len(past) <= height:
        lines = [*past, *lines]
    return lines + _requests(progress.requests, width, height - len(lines))


def _classes(progress: Progress, width: int) -> list[Text]:
    if len(progress.classes) < 2:
        return []
    told = " · ".join(f"{plain(name)} {count:,}" for name, count in progress.classes.items())
    return [Text(shorten(told, width), style="dim")]


def _past(progress: Progress, width: int) -> list[Text]:
    """Return a line for requests and one for latencies of the last seconds."""
    if len(progress.rates) < _LEAST_SECONDS or not any(progress.rates):
        return []
    latest = (f"{progress.rates[-1]:,}/s", _time(progress.p95s_ns[-1]))
    size = max(map(cell_len, latest))
    room = width - len("requests ") - size - 1
    return [
        _spark("requests", progress.rates, latest[0].rjust(size), room, "cyan"),
        _spark("p95", progress.p95s_ns, latest[1].rjust(size), room, "magenta"),
    ]


def _spark(name: str, values: Sequence[int], latest: str, room: int, style: str) -> Text:
    shown = values[-room:]
    top = max(*shown, 1)
    bars = "".join(_BARS[value * (len(_BARS) - 1) // top] for value in shown)
    return Text.assemble((f"{name:8} ", "dim"), (bars, style), f" {latest}")


def _requests(rows: Sequence[RequestProgress], width: int, room: int) -> list[Text]:
    if not rows or room < _LEAST_ROWS + 1:
        return []
    most = min(room - 1, _MOST_ROWS)
    shown = rows if len(rows) <= most else rows[: most - 1]
    lines = table(
        [
            Column("request", [plain(row.name) or "(no name)" for row in shown], floor=12),
            Column("count", [f"{row.total:,}" for row in shown], rank=2),
            Column(
                "failed",
                [f"{row.failed:,}" for row in shown],
                styles=["red" if row.failed else "" for row in shown],
            ),
            Column("per s", [f"{row.requests_per_second:,}" for row in shown], rank=1),
            Column(
                "p95",
                [_time(row.p95_ns) for row in shown],
            ),
        ],
        width,
    )
    if left := len(rows) - len(shown):
        lines.append(Text(f"… {left:,} more", style="dim"))
    return lines


def _time(ns: int) -> str:
    return format_duration(ns) if ns else "-"
