"""What a person sees while rounds go on: a line for each run, and the seconds on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from planrunner.cross_check.figures import RoundFigures
from planrunner.cross_check.view import round_words
from planrunner.report.plain import shorten
from planrunner.units import NS_PER_S, format_duration

__all__ = ["RoundLines"]


class RoundLines:
    """Tells of rounds on a console."""

    def __init__(self, console: Console, rounds: int, lasting_ns: int, quiet: bool) -> None:  # noqa: FBT001 - as it was typed
        self._console = console
        self._rounds = rounds
        self._lasting_ns = lasting_ns
        self._is_quiet = quiet
        self._now = ""
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

    def begins(self, tool: str, number: int) -> None:
        self._now = f"round {number} of {self._rounds}: {tool}"

    def goes_on(self, seconds: int) -> None:
        if self._live is not None:
            gone = f"{format_duration(seconds * NS_PER_S)} since its start, " if seconds else ""
            words = f"{self._now}: {gone}{format_duration(self._lasting_ns)} of load"
            words = shorten(words, max(self._console.width - 3, 1))
            self._live.update(Text(words, no_wrap=True, overflow="crop"), refresh=True)

    def ends(self, tool: str, number: int, figures: RoundFigures | None) -> None:
        del tool, number
        if self._is_quiet:
            return
        words = "failed" if figures is None else round_words(figures)
        console = self._console if self._live is None else self._live.console
        console.print(Text(f"{self._now}: {words}"), soft_wrap=True)
