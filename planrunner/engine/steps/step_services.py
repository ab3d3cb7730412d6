"""What steps may do beyond their user: print lines, stop the phase or the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from planrunner.engine.recording.run_masker import RunMasker
from planrunner.engine.sharing.sharing import Sharing
from planrunner.values import dataclass

__all__ = ["LogLines", "LogSink", "StepServices"]

MOST_LINES: Final = 10
_MOST_LENGTH: Final = 1_000


@dataclass(frozen=True, slots=True)
class LogSink:
    """What `log` steps wrote in about a second; `suppressed` lines more were not kept."""

    lines: tuple[str, ...] = ()
    suppressed: int = 0


class LogLines:
    """Keeps the first ten lines of each second, and counts the others.

    Attributes:
        mask: Takes secrets out of text.
    """

    def __init__(self, mask: RunMasker) -> None:
        self.mask: Final = mask
        self._lines: list[str] = []
        self._suppressed = 0

    def write(self, line: str, scope: Mapping[str, object]) -> None:
        """Keep a line of a user with this scope, secrets masked, unless ten have been kept."""
        if len(self._lines) < MOST_LINES:
            self.mask.look_at(scope)
            self._lines.append(self.mask(line)[:_MOST_LENGTH])
        else:
            self._suppressed += 1

    def drain(self) -> LogSink:
        """Return what was written since the last time."""
        drained = LogSink(tuple(self._lines), self._suppressed)
        self._lines.clear()
        self._suppressed = 0
        return drained


@dataclass(frozen=True, slots=True)
class StepServices:
    """For the steps of one phase.

    Attributes:
        stop_phase: Begins the phase's graceful stop.
        stop_plan: Begins that of the whole run.
        sharing: What users share.
    """

    log: LogLines
    stop_phase: Callable[[], None]
    stop_plan: Callable[[], None]
    sharing: Sharing
