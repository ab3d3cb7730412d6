"""How a run is told to end before its plan does."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Final

__all__ = ["Ending", "Stop", "StopLevel"]


class Ending(StrEnum):
    """Why a run ended; `cli.exit_codes` says what each means for the process."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    ABORTED = "aborted"
    CANNOT_RUN = "cannot-run"


class StopLevel(IntEnum):
    """How urgent it is; it only ever rises."""

    RUNNING = 0
    GRACEFUL = 1
    AT_ONCE = 2


class Stop:
    """The one place where anyone may ask a run to end.

    | level    | Ctrl-C or SIGTERM | a threshold, the engine itself |
    |----------|-------------------|--------------------------------|
    | running  | graceful          | graceful                       |
    | graceful | at once           | graceful                       |
    | at once  | at once           | at once                        |

    Graceful: users finish their iteration within `graceful_stop`. At once: everything is
    cancelled. Either way the run returns its outcome, so reports are written.
    """

    def __init__(self) -> None:
        self.level = StopLevel.RUNNING
        self.ending = Ending.FINISHED
        self.reason = ""
        self._listeners: dict[int, Callable[[], None]] = {}
        self._next_key = 0

    def request(self, reason: str, *, ending: Ending = Ending.INTERRUPTED) -> None:
        """Ask for the end; `reason` is a sentence for people. The first reason stays."""
        if self.level is StopLevel.RUNNING:
            self.level = StopLevel.GRACEFUL
            self.ending = ending
            self.reason = reason
        elif self.level is StopLevel.GRACEFUL and ending is Ending.INTERRUPTED:
            self.level = StopLevel.AT_ONCE
        else:
            return
        for listener in tuple(self._listeners.values()):
            listener()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever the level rises; returns what takes the listener away."""
        key: Final = self._next_key
        self._next_key += 1
        self._listeners[key] = listener

        def forget() -> None:
            self._listeners.pop(key, None)

        return forget
