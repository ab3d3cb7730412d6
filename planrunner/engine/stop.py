"""How a run is told to end before its plan does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from threading import Lock
from typing import Final

from planrunner.errors import Interrupted

__all__ = ["Among", "Ending", "Stop", "StopLevel", "interrupted_by"]

Among = tuple[str, str]
"""`users` and a phase, or `rows` and a data source."""


_SETTLING_S: Final = 0.05
"""How long a process that has to end waits for a result that is being written."""


class Ending(StrEnum):
    """Why a run ended; `results.exit_codes` has a code for each."""

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
    cancelled. Either way the run returns its outcome, so reports are written. Once its result is
    kept, there is nothing left to end but the wait for outputs, and requests change nothing else.

    Attributes:
        settled: The exit code that the kept result states; None until it is kept.
    """

    def __init__(self) -> None:
        self.level = StopLevel.RUNNING
        self.ending = Ending.FINISHED
        self.reason = ""
        self.settled: int | None = None
        self._settling = Lock()
        self._listeners: dict[int, Callable[[], None]] = {}
        self._insisted: dict[int, Callable[[], None]] = {}
        self._next_key = 0

    def request(
        self,
        reason: str,
        *,
        ending: Ending = Ending.INTERRUPTED,
        among: Among | None = None,
    ) -> None:
        """Ask for the end.

        Args:
            reason: A sentence for people; the first one stays.
            ending: What the end means.
            among: Of what this worker has come to the end; it is the end of the run when all
                workers have that share it. The only worker needs no `among`.
        """
        del among
        if self.settled is not None:
            self._insist()
        elif self.level is StopLevel.RUNNING:
            self.rise(StopLevel.GRACEFUL, reason, ending)
        elif self.level is StopLevel.GRACEFUL and ending is Ending.INTERRUPTED:
            self.rise(StopLevel.AT_ONCE, reason, ending)
        elif ending is Ending.INTERRUPTED:
            self._insist()

    def _insist(self) -> None:
        for listener in tuple(self._insisted.values()):
            listener()

    def settle(self, exit_code: int, keep: Callable[[], object]) -> None:
        """Keep the result, which states this exit code; `keep` raises when it can't.

        Any thread may call it.
        """
        with self._settling:
            keep()
            self.settled = exit_code

    def last_code(self, otherwise: int) -> int:
        """Return the exit code of a process that ends at once: the one that the kept result states.

        No result is kept from then on, so that none can contradict the code.
        """
        self._settling.acquire(timeout=_SETTLING_S)
        return otherwise if self.settled is None else self.settled

    def rise(self, level: StopLevel, reason: str, ending: Ending) -> None:
        """Go to a level, unless it is reached already."""
        if level <= self.level:
            return
        if self.level is StopLevel.RUNNING:
            self.ending = ending
            self.reason = reason
        self.level = level
        for listener in tuple(self._listeners.values()):
            listener()

    def listen(self, listener: Callable[[], None], *, each: bool = False) -> Callable[[], None]:
        """Call `listener` whenever the level rises; returns what takes the listener away.

        Args:
            listener: Returns at once.
            each: Call it as well when a request changes nothing: an interrupt at the highest level,
                or any once the result is kept.
        """
        key: Final = self._next_key
        self._next_key += 1
        self._listeners[key] = listener
        if each:
            self._insisted[key] = listener

        def forget() -> None:
            self._listeners.pop(key, None)
            self._insisted.pop(key, None)

        return forget

    @contextmanager
    def listening(self, listener: Callable[[], None]) -> Iterator[None]:
        """Do as `listen` with `each`, for a block."""
        forget = self.listen(listener, each=True)
        try:
            yield
        finally:
            forget()


@contextmanager
def interrupted_by(stop: Stop) -> Iterator[Callable[[], None]]:
    """Cancel the block of the current task when the end is asked for; gives what ends that.

    Raises:
        Interrupted: It was.
    """
    if stop.level is not StopLevel.RUNNING:
        raise Interrupted(stop.reason)
    task = asyncio.current_task()
    assert task is not None
    own, others = 0, task.cancelling()

    def cancel() -> None:
        nonlocal own
        own += 1
        task.cancel()

    forget = stop.listen(cancel, each=True)
    try:
        yield forget
    except asyncio.CancelledError as error:
        if own and task.cancelling() - own <= others:
            raise Interrupted(stop.reason) from error
        raise
    finally:
        forget()
        for _ in range(own):
            task.uncancel()
