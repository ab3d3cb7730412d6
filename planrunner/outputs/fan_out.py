"""One run → its outputs, none of which can hold up or end the run, or another output."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Self

from planrunner.engine.coordinator.events import (
    Event,
    Insight,
    RunEnded,
    RunStarted,
    Standing,
    Tick,
)
from planrunner.errors import CannotRun
from planrunner.outputs.base import (
    Output,
    RunEvent,
    RunInfo,
    Second,
    WithEvents,
    WithInsight,
    WithResult,
    WithStandings,
)
from planrunner.results.model import RunResult
from planrunner.units import NS_PER_US, format_count

__all__ = ["FanOut", "SparingStandings"]

_MOST_WAITING: Final = 120
"""Seconds and events of one output: a minute or two. At 10,000 requests/s under 500 names a second
takes 0.5 MB of histograms, so that is 60 MB at most, shared by all outputs."""

_START_S: Final = 10.0
"""What an output gets for its start; the load waits for it."""

_END_S: Final = 5.0
"""What all of them get at the end, of which `_CANCEL_S` is for those that have to be cancelled."""

_CANCEL_S: Final = 0.5

_SPARED: Final = 100

_logger = logging.getLogger("planrunner.outputs")


class FanOut:
    """The outputs of one run; they start and stop with its block.

    It owns a task for each of them, and neither the engine nor the caller another one.
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        run: RunInfo,
        *,
        mask: Callable[[str], str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._run = run
        self._now = now
        self._standings = SparingStandings()
        self._insight = Insight(standings=self._standings)
        self._lanes = [_Lane(output, mask) for output in outputs]
        for output in outputs:
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
            CannotRun: One says that the run has no point without it; the others are stopped.
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
        for lane in self._lanes:
            lane.add(second)

    def _look_into(self, insight: Insight) -> None:
        if self._standings.judge is not insight.standings:
            self._standings.judge = insight.standings
            self._insight = replace(insight, standings=self._standings)

    def _hear(self, event: RunEvent) -> None:
        for lane in self._lanes:
            lane.hear(event)

    async def close(self, result: RunResult | None) -> None:
        """Give each what it has not seen yet, and the result; wait 5 s at most.

        Calling it again does nothing.
        """
        if self._is_closed:
            return
        lanes, self._is_closed = self._lanes, True
        for lane in lanes:
            lane.finish(result)
        try:
            await _wait(lanes, _END_S - _CANCEL_S)
        finally:
            for lane in lanes:
                lane.give_up()
        await _wait(lanes, _CANCEL_S)

    def notices(self) -> tuple[str, ...]:
        """Return what did not reach an output, and why."""
        return tuple(words for lane in self._lanes for words in lane.notices())


async def _wait(lanes: Sequence[_Lane], seconds: float) -> None:
    tasks = [lane.task for lane in lanes if lane.task is not None and not lane.task.done()]
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


class _Lane:
    """One output with the queue before it and the task that empties it."""

    def __init__(self, output: Output, mask: Callable[[str], str]) -> None:
        self._output = output
        self._mask = mask
        self._queue: asyncio.Queue[Second | RunEvent | None] = asyncio.Queue(_MOST_WAITING)
        self._hears = isinstance(output, WithEvents)
        self._has_started = self._is_over = False
        self._result: RunResult | None = None
        self._refusal: CannotRun | None = None
        self._fault = ""
        self._lost_seconds = self._lost_events = 0
        self.task: asyncio.Task[None] | None = None

    async def start(self, run: RunInfo) -> None:
        """Return when it has started, or never will.

        Raises:
            CannotRun: As the output does.
        """
        started = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._serve(run, started))
        await asyncio.wait([started, self.task], timeout=_START_S, return_when="FIRST_COMPLETED")
        if self._refusal is not None:
            raise self._refusal
        if not started.done() and not self.task.done():
            self._fault = f"did not start within {_START_S:.0f} s and was left out"
            self.task.cancel()

    async def _serve(self, run: RunInfo, started: asyncio.Future[None]) -> None:
        """Work from the start of the output to its end."""
        output = self._output
        try:
            await output.start(run)
        except CannotRun as error:
            words = f"output `{output.name}`: {error.message}"
            self._refusal = CannotRun(words, hint=error.hint)
            return
        except Exception as error:  # noqa: BLE001 - as below
            self._fail(error)
            return
        self._has_started = True
        started.set_result(None)
        try:
            await self._guarded(self._feed())
        finally:
            await self._guarded(output.stop())

    async def _guarded(self, part: Coroutine[Any, Any, None]) -> None:
        try:
            await part
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this output's alone
            self._fail(error)

    async def _feed(self) -> None:
        output = self._output
        while not (self._is_over and self._queue.empty()):
            item = await self._queue.get()
            if isinstance(item, Second):
                await output.add(item)
            elif item is not None and isinstance(output, WithEvents):
                await output.hear(item)
        if self._result is not None and isinstance(output, WithResult):
            await output.take_result(self._result)

    def _fail(self, error: Exception) -> None:
        what = self._mask(f"{type(error).__name__}: {error}")
        self._fault = self._fault or f"failed and was switched off: {what}"
        trace = self._mask("".join(traceback.format_exception(error)))
        _logger.error("output failed name=%s\n%s", self._output.name, trace)

    def add(self, second: Second) -> None:
        if not self._put(second):
            self._lost_seconds += 1

    def hear(self, event: RunEvent) -> None:
        if self._hears and not self._put(event):
            self._lost_events += 1

    def _put(self, item: Second | RunEvent) -> bool:
        """Queue it; False when there is no room."""
        if self._fault:
            return True  # it is gone, and that is said
        if self._queue.full():
            return False
        self._queue.put_nowait(item)
        return True

    def finish(self, result: RunResult | None) -> None:
        """Let it end when it has seen everything; at once if it is still starting."""
        self._is_over, self._result = True, result
        if self.task is not None and not self._has_started:
            self.task.cancel()
        elif not self._queue.full():
            self._queue.put_nowait(None)  # it may be waiting for something

    def give_up(self) -> None:
        """Cancel it, unless it has ended."""
        if self.task is None or self.task.done():
            return
        self._fault = self._fault or f"did not end within {_END_S:.0f} s and was abandoned"
        while not self._queue.empty():
            item = self._queue.get_nowait()
            self._lost_seconds += isinstance(item, Second)
            self._lost_events += item is not None and not isinstance(item, Second)
        self.task.cancel()

    def notices(self) -> Iterator[str]:
        name = f"the output `{self._output.name}`"
        if self._fault:
            yield f"{name} {self._fault}"
        elif self.task is not None and self.task.done() and self.task.cancelled():
            yield f"{name} was cancelled by itself"
        lost = [
            format_count(count, word)
            for count, word in ((self._lost_seconds, "second"), (self._lost_events, "event"))
            if count
        ]
        if lost:
            yield f"{name} was too slow: {' and '.join(lost)} of the run did not reach it"


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
