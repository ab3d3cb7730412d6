"""One worker as the coordinator sees it: how it is reached, and what is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from planrunner.engine.recording.counters import Counters
from planrunner.engine.workers.local import Drained
from planrunner.engine.workers.traffic import Traffic
from planrunner.engine.workers.transport import Transport
from planrunner.metrics.book import Crowded
from planrunner.metrics.histogram import Histogram
from planrunner.units import NS_PER_MS, NS_PER_S
from planrunner.values import dataclass

__all__ = ["KNOWN_WITHIN_NS", "ClockFacts", "WorkerHandle", "WorkerStanding", "WorkerState"]

KNOWN_WITHIN_NS: Final = 50 * NS_PER_MS
"""A run is biased where a host's clock may be further off: of a second, which is what results are
made of, a twentieth may count in another one. No latency is wrong by it.
"""


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """How a host's clock stands to the coordinator's.

    Attributes:
        offset_ns: What is added to its time to get the coordinator's; 0 on the same host.
        error_ns: How far off that may have been at most: some half a round trip; 0 on the same
            host.
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
        number: From 1.
        is_silent: Nothing was heard of it for a while.
        requests: That have ended so far, and `requests_per_second` in its last whole second.
        lateness_p99_ns: Of arrivals so far, or nearly.
        loop_lag_ns: The latest that a timer fired.
        clock_error_ns: How far off its host's clock may be.
    """

    name: str
    users: int
    cpu_share: float
    fate: str = ""
    host: str = ""
    number: int = 0
    is_silent: bool = False
    requests: int = 0
    requests_per_second: int = 0
    lateness_p99_ns: int = 0
    loop_lag_ns: int = 0
    open_files: int = 0
    clock_error_ns: int = 0


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
        told_ns: Up to when it has said what happened (clock time).
        began_ns: When its first load really began; 0 before that.
        done: The phases of which its last user has gone.
        is_tolerated: It was lost, and the run went on without it.
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
        self.told_ns = now_ns
        self.began_ns = 0
        self.done: set[str] = set()
        self.is_tolerated = False
        self.traffic = Traffic()
        self.requests_per_second = 0
        self.lateness = Histogram()
        self.due = self.dropped = 0
        self.most_users = self.open_files = self.loop_lag_ns = 0
        self._busy_ns, self._lasted_ns = 0.0, 0
        self._looked_at = self._about_p99_ns = 0

    @property
    def mean_cpu_share(self) -> float:
        return self._busy_ns / self._lasted_ns if self._lasted_ns else 0.0

    @property
    def lateness_p99_ns(self) -> int:
        return self.lateness.percentile(99) if self.lateness.count else 0

    @property
    def about_lateness_p99_ns(self) -> int:
        """The same, or what it was a twentieth of the arrivals ago: many may ask each second."""
        if self.lateness.count > self._looked_at * 1.05:
            self._looked_at, self._about_p99_ns = self.lateness.count, self.lateness_p99_ns
        return self._about_p99_ns

    def take(self, drained: Drained, traffic: Traffic) -> None:
        """Take in what happened since the last time."""
        self.parts.append(drained)
        self.counters, self.users = drained.counters, drained.snapshot.users
        self.most_users = max(self.most_users, sum(self.users.values()))
        self._take_health(drained, traffic.requests - self.traffic.requests)
        self.traffic = traffic
        for lateness in drained.lateness.values():
            self.lateness.merge(lateness)
        for counts in drained.arrivals:
            self.due += counts.due
            self.dropped += counts.dropped

    def _take_health(self, drained: Drained, requests: int) -> None:
        snapshot, health = drained.snapshot, drained.health
        self.told_ns = max(self.told_ns, snapshot.end_ns)
        self.open_files = max(self.open_files, health.open_files)
        self.loop_lag_ns = max(self.loop_lag_ns, health.loop_lag_ns)
        length_ns = snapshot.end_ns - snapshot.start_ns
        self._busy_ns += health.cpu_share * length_ns
        self._lasted_ns += length_ns
        if length_ns >= NS_PER_S // 2:  # less says little
            self.cpu_share = health.cpu_share
            self.peak_cpu_share = max(self.peak_cpu_share, health.cpu_share)
            self.requests_per_second = requests * NS_PER_S // length_ns

    def standing(self) -> WorkerStanding:
        """Return how it is now."""
        users = sum(self.users.values()) if self.alive else 0
        return WorkerStanding(
            name=self.handle.name,
            users=users,
            cpu_share=self.cpu_share if self.alive else 0.0,
            fate="" if self.alive else self.verdict,
            host=self.handle.host,
            number=self.number + 1,
            is_silent=self.is_silent and self.alive,
            requests=self.traffic.requests,
            requests_per_second=self.requests_per_second if self.alive else 0,
            lateness_p99_ns=self.about_lateness_p99_ns,
            loop_lag_ns=self.loop_lag_ns,
            open_files=self.open_files,
            clock_error_ns=self.handle.clock.error_ns,
        )
