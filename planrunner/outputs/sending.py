"""What outputs have in common that send to a server: batches, retries, and what got lost.

While a batch is tried again, `add` waits, and the seconds that follow wait in front of the output
(`outputs/lane.py`): nothing here grows, whatever the server does.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import datetime
from typing import Final

from planrunner.errors import CannotRun, PlanrunnerError
from planrunner.metrics.snapshot import Snapshot
from planrunner.outputs.base import RunInfo, Second
from planrunner.outputs.slices import in_slices
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["Batch", "Refused", "SendingOutput", "Unreachable"]

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 10.0
"""Between two attempts; whatever a server asks for, the run may be over before."""


class Unreachable(PlanrunnerError):  # noqa: N818 - what happened to a batch
    """A batch did not arrive, and another attempt may succeed.

    Attributes:
        after_s: How long the server wants to be left alone; 0 when it says nothing.
    """

    def __init__(self, message: str, *, hint: str = "", after_s: float = 0) -> None:
        super().__init__(message, hint=hint)
        self.after_s = after_s


class Refused(PlanrunnerError):  # noqa: N818 - as above
    """A batch was refused, and would be again: wrong credentials, a name that there is not."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Seconds that are sent together.

    Attributes:
        count: How many they are.
        number: Of the last of them.
        ended: When that was, in UTC.
        phases: Those that ran at its end.
        snapshot: All of them, end to end.
        is_last: Nothing comes after it.
    """

    count: int
    number: int
    ended: datetime
    phases: tuple[str, ...]
    snapshot: Snapshot
    is_last: bool

    @classmethod
    def of(cls, second: Second) -> Batch:
        return cls(1, second.number, second.ended, second.phases, second.snapshot, second.is_last)


class SendingOutput(ABC):
    """An output that sends what came every few seconds, and tries again what did not arrive.

    It needs `open`, `send` and `close`; all three may raise `Unreachable` and `Refused`. A batch
    that is refused is lost and the next one is sent: a server that was set up wrongly may be put
    right while the run lasts.

    Args:
        name: What notices call it.
        every_ns: How much of the run is in a batch: whole seconds, at least one.

    Attributes:
        lost_seconds: See `WithLosses`.
        loss: See `WithLosses`; what was wrong last.
    """

    def __init__(self, name: str, *, every_ns: int = NS_PER_S) -> None:
        self.name = name
        self.loss = ""
        self._every = max(every_ns // NS_PER_S, 1)
        self._taken = self._arrived = 0
        self._waiting: Batch | None = None
        self._is_cut = False

    @property
    def lost_seconds(self) -> int:
        """Those that were refused, and those that have not been sent yet."""
        return self._taken - self._arrived

    @abstractmethod
    async def open(self, run: RunInfo) -> None:
        """Connect, and find out whether the server would take what is sent; once, at the start."""

    @abstractmethod
    async def send(self, batch: Batch) -> None:
        """Send a batch; return when the server has it."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of everything."""

    async def start(self, run: RunInfo) -> None:
        """Begin.

        Raises:
            CannotRun: The server can't be reached, or would take nothing.
        """
        try:
            await self.open(run)
        except (Unreachable, Refused) as error:
            await self.close()
            raise CannotRun(error.message, hint=error.hint) from error

    async def add(self, second: Second) -> None:
        self._taken += 1
        batch = Batch.of(second)
        self._waiting = batch if self._waiting is None else await _together(self._waiting, batch)
        if self._waiting.count >= self._every or second.is_last:
            await self._send_waiting()

    async def stop(self) -> None:
        try:
            if self._waiting is not None and not self._is_cut:  # the last second never came
                await self._send_waiting()
            await self.close()
        except (Unreachable, Refused) as error:
            self.loss = error.message

    async def _send_waiting(self) -> None:
        """Try until the server has it, or refuses it; the end of the run ends it."""
        assert self._waiting is not None
        pause_s, self._is_cut = _FIRST_PAUSE_S, True
        while True:
            try:
                await self.send(self._waiting)
            except Unreachable as error:
                self.loss = error.message
                await asyncio.sleep(min(max(pause_s, error.after_s), _LONGEST_PAUSE_S))
                pause_s *= 2
                continue
            except Refused as error:
                self.loss = error.message
            else:
                self._arrived += self._waiting.count
            break
        self._waiting, self._is_cut = None, False


async def _together(batch: Batch, later: Batch) -> Batch:
    """Return two batches that follow each other as one, in pieces: there may be many series."""
    deltas = dict(batch.snapshot.deltas)
    async for labels, delta in in_slices(later.snapshot.deltas.items()):
        before = deltas.get(labels)
        deltas[labels] = delta if before is None else before.plus(delta)
    snapshot = replace(later.snapshot, start_ns=batch.snapshot.start_ns, deltas=deltas)
    return replace(later, count=batch.count + later.count, snapshot=snapshot)
