"""Who has said what it should, who is silent, and who is silent for so long that it is killed.

| a worker is silent             | is noticed          | and then                            |
|--------------------------------|---------------------|-------------------------------------|
| for 2 s                        | within a second     | it is said, and nobody waits for it |
| for a minute                   | within a second     | it is killed, and so has ended      |
| for 5 s when its load is long  | within a second     | the same: a step of its plan hangs  |
| over                           |                     |                                     |
| when all has to end at once    | within 200 ms       | the same                            |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from planrunner.clock import Clock
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.stop import Stop, StopLevel
from planrunner.engine.workers.worker_state import WorkerState
from planrunner.units import NS_PER_MS, NS_PER_S, format_duration
from planrunner.values import dataclass

__all__ = ["NO_LOSS", "Attendance", "Tolerance"]

_LATE_NS: Final = 500 * NS_PER_MS
"""How long a look waits for the slowest worker; what comes later counts in the next one."""

_ANSWER_NS: Final = 200 * NS_PER_MS
"""What a worker gets to answer when all has to end at once; the process then ends as well."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a run bears of its workers.

    Attributes:
        lost: How many may be gone before its end.
        said_ns: How long one may be silent until it is said.
        killed_ns: Until it is killed.
        overdue_ns: As `killed_ns`, once its load and the graceful stop are over.
    """

    lost: int = 0
    said_ns: int = 2 * NS_PER_S
    killed_ns: int = 60 * NS_PER_S
    overdue_ns: int = 5 * NS_PER_S


NO_LOSS: Final = Tolerance()


class Attendance:
    """Looks after the workers of a run.

    Args:
        links: All of them.
        clock: The same for all.
        stop: Of the run.
        over_ns: Returns when the graceful stop of all that a worker runs is over.
        tell: Takes a sentence about a worker.
        tolerance: How long silence is borne.
    """

    def __init__(
        self,
        links: Sequence[WorkerState],
        *,
        clock: Clock,
        stop: Stop,
        over_ns: Callable[[WorkerState], int],
        tell: Callable[[str], None],
        tolerance: Tolerance,
    ) -> None:
        self._links = links
        self._clock = clock
        self._stop = stop
        self._over_ns = over_ns
        self._tell = tell
        self._tolerance = tolerance
        self._awaited: tuple[Callable[[WorkerState], bool], InterruptibleSleep] | None = None
        self._at_once = InterruptibleSleep(clock)

    def heard(self, link: WorkerState) -> None:
        """Note that a worker has said something."""
        now_ns = self._clock.now_ns()
        if link.is_silent:
            link.is_silent = False
            silent = format_duration(now_ns - link.heard_ns)
            self._tell(f"{link.handle.name} is heard again, after {silent}")
        link.heard_ns = now_ns

    async def second_is_in(self, second: int) -> None:
        """Wait for what all have to say of a second, then look at who is silent."""
        now_ns = self._clock.now_ns()
        await self.all_are_in(lambda link: link.second >= second)
        waited_ns = self._clock.now_ns()
        for link in self._links:
            if link.alive:
                self._say_if_silent(link, waited_ns)
                self._kill_if_silent(link, now_ns)

    def _say_if_silent(self, link: WorkerState, now_ns: int) -> None:
        silent_ns = now_ns - link.heard_ns
        if silent_ns >= self._tolerance.said_ns and not link.is_silent:
            link.is_silent = True
            self._tell(f"{link.handle.name} has said nothing for {format_duration(silent_ns)}")

    def _kill_if_silent(self, link: WorkerState, now_ns: int) -> None:
        bears, silent_ns = self._tolerance, now_ns - link.heard_ns
        if silent_ns > bears.killed_ns:
            self._kill(link, f"was silent for {_seconds(bears.killed_ns)}")
        elif silent_ns > bears.overdue_ns and (now_ns > self._over_ns(link) + bears.overdue_ns):
            silent = _seconds(bears.overdue_ns)
            self._kill(link, f"was silent for {silent} when its load was over")

    def _kill(self, link: WorkerState, why: str) -> None:
        link.verdict = f"{why} and was killed"
        link.handle.kill()

    async def end_at_once(self) -> None:
        """Kill the workers that do not answer when all has to end at once."""
        while self._stop.level is not StopLevel.AT_ONCE:
            await self._at_once.until(self._clock.now_ns() + NS_PER_S)
        look_ns = self._clock.now_ns()
        await self._clock.sleep_until(look_ns + _ANSWER_NS)
        for link in self._links:
            if link.alive and link.running and link.heard_ns < look_ns:
                self._kill(link, "did not answer when the run had to end at once")

    def hurry(self) -> None:
        """All has to end at once."""
        self._at_once.cut_short()

    async def all_are_in(self, is_in: Callable[[WorkerState], bool]) -> None:
        """Return when that is so of all that speak, or one of them is late."""
        sleeper = InterruptibleSleep(self._clock)
        self._awaited = is_in, sleeper
        self.look()
        await sleeper.until(self._clock.now_ns() + _LATE_NS)
        self._awaited = None

    def look(self) -> None:
        """Look whether all are in that somebody waits for: one has said something, or is gone."""
        if self._awaited is not None:
            is_in, sleeper = self._awaited
            if all(is_in(link) for link in self._links if link.alive and not link.is_silent):
                sleeper.cut_short()


def _seconds(limit_ns: int) -> str:
    return f"{limit_ns / NS_PER_S:g} s"
