"""What a person sees while the load runs: a live view on a terminal, a line now and then in CI."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

from planrunner.report.findings import shown_failures
from planrunner.report.plain import plain, shorten
from planrunner.report.terminal.live_details import detail_lines
from planrunner.report.terminal.progress import Progress, SilentView, Thresholds
from planrunner.units import NS_PER_S, format_count, format_duration, format_percent

__all__ = ["LineView", "LiveView", "progress_words"]

# CI logs are read afterwards: often enough to see where it slowed, rare enough to scroll past.
SECONDS_BETWEEN_LINES = 10
_LONGEST_BAR = 40
_SHORTEST_BAR = 6
_ROOMY = 60
# A terminal echoes `^C` behind the last line; if that wrapped, a line would leave remains.
_MARGIN = 3
_MOST_NAMED = 3
_MOST_KINDS = 4


def progress_words(progress: Progress) -> str:
    """Return the state of a run as one line of plain text."""
    words = [*_load_words(progress), *_count_words(progress)]
    found = progress.thresholds()
    if found.broken:
        shown = [*map(plain, found.broken[:_MOST_NAMED])]
        if left := len(found.broken) - len(shown):
            shown.append(f"{left} more")
        words.append(f"{_broken_words(found, 'thresholds broken')}: {', '.join(shown)}")
    if progress.ending:
        words.append(f"stopping: {plain(progress.ending)}")
    return f"{plain(progress.phase)}: {' · '.join(words)}"


class LineView(SilentView):
    """Prints a line every ten seconds, and one when the run begins to stop."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ending = ""

    def show(self, progress: Progress) -> None:
        stopping = progress.ending != self._ending
        self._ending = progress.ending
        if stopping or progress.second % SECONDS_BETWEEN_LINES == 0:
            minutes, seconds = divmod(progress.second, 60)
            line = Text(f"{minutes}:{seconds:02} {progress_words(progress)}")
            self._console.print(line, soft_wrap=True)

    def say(self, line: str) -> None:
        self._console.print(Text(plain(line)), soft_wrap=True)


class LiveView:
    """Redraws a few lines in place, once a second; when it is left, they are gone."""

    def __init__(self, console: Console) -> None:
        self._console = console
        # No refresh thread: the screen changes when there is news, and never costs the loop more.
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, progress: Progress) -> None:
        width = max(self._console.width - _MARGIN, 1)
        lines = [
            _bar_line(progress, width, ascii_only=self._console.options.ascii_only),
            Text(_load_line(progress, width)),
            Text(
                shorten(" · ".join(_count_words(progress)), width),
                style="red" if progress.failed else "",
            ),
        ]
        found = progress.thresholds()
        if _judged(found):
            style = "" if not found.broken else "red" if found.is_serious else "yellow"
            lines.append(Text(_threshold_line(found, width), style=style))
        workers, is_short = progress.workers()
        if workers:
            style = "yellow" if is_short else "dim"
            lines.append(Text(_first_words(workers, width), style=style))
        if progress.ending:
            lines.append(
                Text(shorten(f"stopping: {plain(progress.ending)}", width), style="yellow")
            )
        ascii_only = self._console.options.ascii_only
        # One line stays free, so that the frame never scrolls.
        room = self._console.height - len(lines) - 1
        lines += detail_lines(progress, width, room, ascii_only=ascii_only)
        # One line each, whatever the width: what wraps would leave remains behind.
        frame = Text("\n", no_wrap=True, overflow="crop").join(lines)
        self._live.update(frame, refresh=True)

    def say(self, line: str) -> None:
        self._live.console.print(Text(plain(line)), soft_wrap=True)


def _first_words(words: str, width: int) -> str:
    """Return as many of the words between dots as there is room for: the first say most."""
    parts = words.split(" · ")
    while len(parts) > 1 and cell_len(" · ".join(parts)) > width:
        parts.pop()
    return shorten(" · ".join(parts), width)


def _bar_line(progress: Progress, width: int, *, ascii_only: bool) -> Text:
    """Return how far the run is: the phase, a bar, the time gone and the time left."""
    gone = format_duration(progress.second * NS_PER_S)
    if not progress.planned_s:
        return Text.assemble(
            (shorten(plain(progress.phase), max(width - 12, 4)), "bold"), f" {gone}"
        )
    left_s = max(0, round(progress.planned_s - progress.second))
    left = f"{format_duration(left_s * NS_PER_S)} left" if left_s else "finishing"
    times = f" {gone} · {left}"
    phase = shorten(plain(progress.phase), max(width // 3, 4))
    room = width - cell_len(phase) - 1 - cell_len(times)
    size = min(room, _LONGEST_BAR)
    if size < _SHORTEST_BAR:
        return Text.assemble((phase, "bold"), times)
    done = min(size, round(size * progress.second / max(progress.planned_s, 1)))
    full, empty = ("#", "-") if ascii_only else ("━", "─")
    return Text.assemble(
        (f"{phase} ", "bold"), (full * done, "green"), (empty * (size - done), "dim"), times
    )


def _load_words(progress: Progress) -> list[str]:
    words = [format_count(progress.users, "user"), f"{progress.requests_per_second:,} requests/s"]
    if not progress.p50_ns:
        return [*words, "no replies"]
    times = {"p50": progress.p50_ns, "p95": progress.p95_ns, "p99": progress.p99_ns}
    return [*words, *(f"{name} {format_duration(ns)}" for name, ns in times.items())]


def _load_line(progress: Progress, width: int) -> str:
    """Return what goes on now; on a narrow terminal in fewer words."""
    line = " · ".join(_load_words(progress))
    if cell_len(line) <= width:
        return line
    p95 = f"p95 {format_duration(progress.p95_ns)}" if progress.p50_ns else "no replies"
    short = [format_count(progress.users, "user"), f"{progress.requests_per_second:,}/s", p95]
    return shorten(" · ".join(short), width)


def _judged(found: Thresholds) -> int:
    return found.holding + len(found.broken) + found.waiting


def _broken_words(found: Thresholds, what: str) -> str:
    """Return how many are broken, and how many only warn: a warning breaks nothing."""
    broken, parts = len(found.broken) - found.warnings, []
    if broken:
        parts.append(f"{broken} of {_judged(found)} {what}")
    if found.warnings:
        parts.append(
            f"{found.warnings} of {_judged(found)} warn" if not broken else f"{found.warnings} warn"
        )
    return ", ".join(parts)


def _threshold_line(found: Thresholds, width: int) -> str:
    """Return how thresholds stand: what is broken, or that nothing is."""
    if found.broken:
        what = "thresholds broken" if width >= _ROOMY else "broken"
        words = f"{_broken_words(found, what)}: {plain(found.broken[0])}"
    else:
        waiting = f", {found.waiting} without data yet" if found.waiting else ""
        words = f"{found.holding} of {_judged(found)} thresholds hold{waiting}"
    return shorten(words, width)


def _count_words(progress: Progress) -> list[str]:
    share = progress.failed / progress.total if progress.total else 0
    failed = f"{progress.failed:,} failed ({format_percent(share)})"
    if progress.failures:
        shown = shown_failures(progress.failures, _MOST_KINDS, expected=progress.expected)
        failed = f"{failed}: {' '.join(map(plain, shown))}"
    return [format_count(progress.total, "request"), failed if progress.failed else "none failed"]
