"""What a person sees while rounds go on: a line for each run, and the seconds on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from planrunner.cross_check.figures import RoundFigures
from planrunner.cross_check.rounds import Turn
from planrunner.cross_check.view import round_words
from planrunner.report.plain import shorten
from planrunner.units import NS_PER_S, format_duration

__all__ = ["RoundLines"]


class RoundLines:
    """Tells of rounds on a console."""

    def __init__(self, console: Console, rounds: int, quiet: bool) -> None:  # noqa: FBT001 - as it was typed
        self._console = console
        self._rounds = rounds
        self._is_quiet = quiet
        self._turn = Turn("", 0, 0, 0)
        # A dumb terminal can't move its cursor.
        is_live = console.is_terminal and not console.is_dumb_terminal and not quiet
        self._live = Live(console=console, auto_refresh=False, transient=True) if is_live else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begins(self, turn: Turn) -> None:
        self._turn = turn

    def goes_on(self, seconds: int) -> None:
        if self._live is None:
            return
        gone_ns, turn = seconds * NS_PER_S, self._turn
        parts = [f"{self._now}: {format_duration(turn.lasting_ns)} of load"]
        if seconds:
            parts.append(f"{format_duration(gone_ns)} since its start")
        left_ns = (turn.left_ns - gone_ns) // NS_PER_S * NS_PER_S
        if left_ns > 0:
            parts.append(f"about {format_duration(left_ns)} left in all")
        words = shorten(", ".join(parts), max(self._console.width - 3, 1))
        self._live.update(Text(words, no_wrap=True, overflow="crop"), refresh=True)

    def ends(self, figures: RoundFigures | None) -> None:
        if self._is_quiet:
            return
        words = "failed" if figures is None else round_words(figures)
        console = self._console if self._live is None else self._live.console
        console.print(Text(f"{self._now}: {words}"), soft_wrap=True)

    @property
    def _now(self) -> str:
        turn = self._turn
        which = f"round {turn.number} of {self._rounds}" if turn.number else "warm-up"
        return f"{which}: {turn.tool}"
