"""One run → its outputs, none of which can hold up or end the run, or another output."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from types import TracebackType
from typing import Final, Self

from planrunner.engine.coordinator.events import (
    Event,
    Insight,
    RunEnded,
    RunStarted,
    Standing,
    Tick,
)
from planrunner.outputs.base import (
    Output,
    RunEvent,
    RunInfo,
    Second,
    WantedOutput,
    WithInsight,
    WithStandings,
)
from planrunner.outputs.lane import END_S, Lane
from planrunner.outputs.waiting_room import MOST_BYTES, WaitingRoom
from planrunner.results.model import RunResult
from planrunner.units import NS_PER_US

__all__ = ["FanOut", "SparingStandings"]

_CANCEL_S: Final = 0.5
"""Of the time at the end, what those get that have to be cancelled."""

_SPARED: Final = 100


class FanOut:
    """The outputs of one run; they start and stop with its block.

    It owns a task for each of them, and neither the engine nor the caller another one.
    """

    def __init__(
        self,
        outputs: Sequence[Output | WantedOutput],
        run: RunInfo,
        *,
        mask: Callable[[str], str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._run = run
        self._now = now
        self._standings = SparingStandings()
        self._insight = Insight(standings=self._standings)
        self._room = WaitingRoom(most_bytes)
        self._lanes = [Lane(output, mask) for output in outputs]
        for output in (lane.output for lane in self._lanes):
            if isinstance(output, WithStandings):
                output.use_standings(self._standings)
            if isinstance(output, WithInsight):
                output.use_insight(lambda: self._insight)
        self._began = now()
        self._started_ns = 0
        self._number = 0
        self._is_closed = False

    async def __aenter__(self) -> Self:
        """Start all of them.

        Raises:
            CannotRun: One that the run can't do without did not start; the others are stopped.
        """
        try:
            await asyncio.gather(*(lane.start(self._run) for lane in self._lanes))
        except BaseException:
            await self.close(None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close(None)

    def tell(self, event: Event) -> None:
        """Pass on what the engine says; returns at once and never raises."""
        match event:
            case Tick():
                self._look_into(event.insight)
                self._add(event.second, event.phases, event)
            case RunEnded():
                self._add(self._number + 1, (), event)
            case RunStarted():
                self._began, self._started_ns = self._now(), event.started_ns
                self._hear(event)
            case _:
                self._hear(event)

    def _add(self, number: int, phases: tuple[str, ...], event: Tick | RunEnded) -> None:
        self._number = number
        gone_us = (event.snapshot.end_ns - self._started_ns) / NS_PER_US
        second = Second(
            number,
            self._began + timedelta(microseconds=gone_us),
            phases,
            event.snapshot,
            event.health if isinstance(event, Tick) else None,
            is_last=isinstance(event, RunEnded),
        )
        waiting, has_room = self._room.enter(second)
        for lane in self._lanes:
            lane.add(waiting, has_room=has_room)

    def _look_into(self, insight: Insight) -> None:
        if self._standings.judge is not insight.standings:
            self._standings.judge = insight.standings
            self._insight = replace(insight, standings=self._standings)

    def _hear(self, event: RunEvent) -> None:
        waiting, has_room = self._room.enter(event)
        for lane in self._lanes:
            lane.hear(waiting, has_room=has_room)

    async def close(self, result: RunResult | None) -> None:
        """Give each what it has not seen yet, and the result; wait 5 s at most.

        Those that linger then get the time for that beside it, and no others. Calling it again does
        nothing.
        """
        if self._is_closed:
            return
        lanes, self._is_closed = self._lanes, True
        for lane in lanes:
            lane.finish(result)
        try:
            await _wait(lanes, END_S - _CANCEL_S)
            for lane in (lane for lane in lanes if not lane.linger_s):
                lane.give_up()
            if linger_s := max((lane.linger_s for lane in lanes), default=0.0):
                await _wait(lanes, linger_s)
        finally:
            for lane in lanes:
                lane.give_up()
        await _wait(lanes, _CANCEL_S)

    def hurry(self) -> None:
        """Let no output linger: the end was asked for."""
        for lane in self._lanes:
            lane.hurry()

    def notices(self) -> tuple[str, ...]:
        """Return what did not reach an output, and why."""
        return tuple(words for lane in self._lanes for words in lane.notices())

    @property
    def has_all_required(self) -> bool:
        """Whether every output that has to get all of the run did so, after the end."""
        return all(lane.has_delivered for lane in self._lanes if lane.is_required)


async def _wait(lanes: Sequence[Lane], seconds: float) -> None:
    tasks = [lane.task for lane in lanes if lane.task is not None and not lane.task.done()]
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


class SparingStandings:
    """Looks at the thresholds unless that would take more than 1 % of the time.

    Attributes:
        judge: Does so, whatever it takes.
    """

    def __init__(self) -> None:
        self.judge: Callable[[], Sequence[Standing]] = tuple
        self._found: Sequence[Standing] = ()
        self._next_look_s = 0.0

    def __call__(self) -> Sequence[Standing]:
        """Return how they stand, or stood when that was last looked at."""
        began_s = perf_counter()
        if began_s >= self._next_look_s:
            self._found = self.judge()
            ended_s = perf_counter()
            self._next_look_s = ended_s + _SPARED * (ended_s - began_s)
        return self._found
