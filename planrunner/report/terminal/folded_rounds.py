"""The rounds of loops in a trace: the first ones are shown, the others counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from planrunner.engine.debug.trace_events import TracedRequest, TracedStep, TraceEvent, TraceSection
from planrunner.units import format_count

__all__ = ["FoldedRounds"]

_SHOWN: Final = 3
"""Rounds of a loop, and after them rounds in which something fails."""


class FoldedRounds:
    """Hands on what happens, but for the rounds of a loop after the first ones.

    Args:
        show: Gets the events that are shown.
        say: Prints a line so many steps deep.
    """

    def __init__(self, show: Callable[[TraceEvent], None], say: Callable[[int, str], None]) -> None:
        self._show, self._say = show, say
        self._loops: list[_Loop] = []

    def __call__(self, told: TraceEvent) -> None:
        if isinstance(told, TraceSection):
            self.end()
            self._show(told)
            return
        while self._loops and self._loops[-1].depth >= told.depth:
            self._leave()
        if self._is_shown(told):
            self._show(told)
        if isinstance(told, TracedStep) and told.is_loop:
            is_hidden = bool(self._loops) and self._loops[-1].is_hidden
            self._loops.append(_Loop(told.depth, is_hidden=is_hidden))

    def end(self) -> None:
        """Say what is left to say of the loops that were running."""
        while self._loops:
            self._leave()

    def _is_shown(self, told: TracedStep | TracedRequest) -> bool:
        if not self._loops:
            return True
        loop = self._loops[-1]
        loop.come_to(told.key)
        if not loop.is_hidden:
            return True
        return bool(told.failed) and all(
            one.shows_failure() for one in self._loops if one.is_hidden
        )

    def _leave(self) -> None:
        loop = self._loops.pop()
        if loop.hidden and not any(one.is_hidden for one in self._loops):
            failures = f", {format_count(loop.failures, 'more failure')}" if loop.failures else ""
            rounds = format_count(loop.hidden, "more round")
            self._say(loop.depth + 1, f"… {rounds}{failures}; --full shows all")


class _Loop:
    """A loop that runs, and how often each of its steps was come to.

    Attributes:
        depth: Steps around it.
        is_hidden: Whether what happens in it now is.
        hidden: Rounds that are not shown.
        failures: What failed in these and is not shown either.
    """

    def __init__(self, depth: int, *, is_hidden: bool) -> None:
        self.depth = depth
        self._is_all_hidden = is_hidden
        self._times: Counter[int] = Counter()
        self._round = self._shown = self.failures = 0

    def come_to(self, key: int) -> None:
        self._times[key] += 1
        self._round = max(self._round, self._times[key])

    @property
    def is_hidden(self) -> bool:
        return self._is_all_hidden or self._round > _SHOWN

    @property
    def hidden(self) -> int:
        return max(0, self._round - _SHOWN)

    def shows_failure(self) -> bool:
        """Take note of something that failed in a hidden round; says whether it is shown."""
        self._shown += 1
        self.failures += self._shown > _SHOWN
        return self._shown <= _SHOWN
