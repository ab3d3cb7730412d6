"""What a person sees while the load runs: a live line on a terminal, a line now and then in CI."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from planrunner.units import format_duration

__all__ = ["LineView", "LiveView", "Progress", "SilentView", "View", "progress_words"]

# CI logs are read afterwards: often enough to see where it slowed, rare enough to scroll past.
SECONDS_BETWEEN_LINES = 10


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a run after one of its seconds.

    Attributes:
        planned_s: How long the phases take without their graceful stops.
        requests_per_second: Finished in the last second.
        p50_ns: Of the last second, 0 without samples; likewise p95_ns and p99_ns.
        total: Requests finished so far, warm-up included.
        failed: Of those, without an acceptable reply.
        ending: Why the run is stopping, empty while it goes on.
    """

    second: int
    planned_s: float
    phase: str
    users: int
    requests_per_second: int
    p50_ns: int
    p95_ns: int
    p99_ns: int
    total: int
    failed: int
    ending: str = ""


class View(Protocol):
    """Shows progress between entering and leaving its block."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show(self, progress: Progress) -> None: ...


def progress_words(progress: Progress) -> str:
    """Return the state of a run as one line of plain text."""
    times = "no replies"
    if progress.p50_ns:
        p50, p95, p99 = map(format_duration, (progress.p50_ns, progress.p95_ns, progress.p99_ns))
        times = f"p50 {p50}, p95 {p95}, p99 {p99}"
    words = [
        f"{progress.phase}: {progress.users:,} users",
        f"{progress.requests_per_second:,} requests/s",
        times,
        f"{progress.failed:,} of {progress.total:,} failed",
    ]
    if progress.ending:
        words.append(progress.ending)
    return " · ".join(words)


class _Silent:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


class SilentView(_Silent):
    """Shows nothing (`--quiet`)."""

    def show(self, progress: Progress) -> None:
        pass


class LineView(_Silent):
    """Prints a line every ten seconds, and one when the run begins to stop."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ending = ""

    def show(self, progress: Progress) -> None:
        stopping = progress.ending != self._ending
        self._ending = progress.ending
        if stopping or progress.second % SECONDS_BETWEEN_LINES == 0:
            clock = f"{progress.second // 60}:{progress.second % 60:02}"
            self._console.print(f"{clock} {progress_words(progress)}", soft_wrap=True)


class LiveView:
    """Redraws a bar and a line in place, once a second."""

    def __init__(self, console: Console) -> None:
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
        left_s = max(0, round(progress.planned_s - progress.second))
        grid = Table.grid(padding=(0, 1), expand=False)
        grid.add_row(
            ProgressBar(total=max(progress.planned_s, 1), completed=progress.second, width=24),
            Text(f"{progress.second} s", style="bold"),
            Text(f"{left_s} s left" if left_s else "finishing", style="dim"),
        )
        words = Text(progress_words(progress), style="red" if progress.failed else "")
        box = Table.grid()
        box.add_row(grid)
        box.add_row(words)
        self._live.update(box, refresh=True)
