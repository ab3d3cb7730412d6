"""One worker as the coordinator sees it: how it is reached, and what is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from planrunner.engine.recording.counters import Counters
from planrunner.engine.workers.local import Drained
from planrunner.engine.workers.transport import Transport
from planrunner.metrics.book import Crowded
from planrunner.values import dataclass

__all__ = ["ClockFacts", "WorkerHandle", "WorkerStanding", "WorkerState"]


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """How a host's clock stands to the coordinator's.

    Attributes:
        offset_ns: What is added to its time to get the coordinator's; 0 on the same host.
        error_ns: How far off that may be: half a round trip; 0 on the same host.
    """

    offset_ns: int = 0
    error_ns: int = 0


class WorkerHandle(Protocol):
    """A worker as the coordinator reaches it.

    Attributes:
        name: For people: `worker 2 of 3 (process 4711)`.
        host: The name of the machine that it is on.
    """

    name: str
    host: str

    @property
    def clock(self) -> ClockFacts:
        """What is known of its host's clock now."""

    @property
    def transport(self) -> Transport: ...

    async def fate(self) -> str:
        """Return what became of it, in words, once its transport has closed."""

    def kill(self) -> None: ...

    async def close(self) -> None:
        """Wait for its end, which may take a second, and take care that it comes."""


@dataclass(frozen=True, slots=True)
class WorkerStanding:
    """One of several workers while the run goes on.

    Attributes:
        name: For people: `worker 2 of 3 (process 4711)`.
        users: That it has now.
        cpu_share: Of one processor, in its last whole second.
        fate: How it ended, in words; empty while it lives.
        host: The name of the machine that it is on.
        is_silent: Nothing was heard of it for a while.
    """

    name: str
    users: int
    cpu_share: float
    fate: str = ""
    host: str = ""
    is_silent: bool = False


class WorkerState:
    """What is known of one worker.

    Attributes:
        is_silent: Nothing was heard of it for a while, and that was said.
        second: The last one that it has reported.
        look: The last one that it has answered.
        ends_ns: When each of its phases ends or has ended.
        parts: What it has sent that is not drained yet.
        counters: Its totals so far; so are `users` those of now.
        rows: How many raw samples were in its file when it last said something.
        cpu_share: Of one processor, in its last second, and `peak_cpu_share` in its busiest.
    """

    def __init__(self, handle: WorkerHandle, number: int, now_ns: int) -> None:
        self.handle = handle
        self.number = number
        self.alive = True
        self.is_silent = False
        self.second = self.look = self.rows = 0
        self.heard_ns = now_ns
        self.ends_ns: dict[str, int] = {}
        self.running: dict[str, asyncio.Future[int | None]] = {}
        self.parts: list[Drained] = []
        self.counters = Counters()
        self.users: Mapping[str, int] = {}
        self.overflowed = False
        self.crowded: tuple[Crowded, ...] = ()
        self.sampling_stopped = ""
        self.verdict = ""
        self.cpu_share = self.peak_cpu_share = 0.0

    def standing(self) -> WorkerStanding:
        """Return how it is now."""
        users = sum(self.users.values()) if self.alive else 0
        return WorkerStanding(
            self.handle.name,
            users,
            self.cpu_share,
            self.verdict,
            self.handle.host,
            self.is_silent and self.alive,
        )
