"""One output of a run, the queue before it, the task that empties it, and what did not arrive."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, Final

from planrunner.errors import CannotRun
from planrunner.outputs.base import (
    Output,
    RunInfo,
    Second,
    WantedOutput,
    WithEvents,
    WithLinger,
    WithLosses,
    WithResult,
)
from planrunner.outputs.waiting_room import Waiting
from planrunner.results.model import RunResult
from planrunner.units import format_count

__all__ = ["END_S", "Lane"]

_START_S: Final = 10.0
"""What an output gets for its start; the load waits for it."""

END_S: Final = 5.0
"""What all outputs get at the end."""

_logger = logging.getLogger("planrunner.outputs")


class Lane:
    """What stands between a run and one of its outputs.

    Attributes:
        output: Which it is.
        is_required: Whether it has to get all of the run.
        task: Does whatever the output does; None before its start.
    """

    def __init__(self, output: Output | WantedOutput, mask: Callable[[str], str]) -> None:
        wanted = output if isinstance(output, WantedOutput) else None
        self.output: Output = output if wanted is None else wanted.output  # type: ignore[assignment]
        self.is_required = wanted is not None and wanted.is_required
        self._must_start = wanted is not None and not wanted.is_optional
        self._may_refuse = wanted is None or self._must_start
        self._mask = mask
        self._queue: asyncio.Queue[Waiting | None] = asyncio.Queue()
        self._hears = isinstance(self.output, WithEvents)
        self._has_started = self._is_over = False
        self._result: RunResult | None = None
        self._refusal: CannotRun | None = None
        self._fault = ""
        self._lost_seconds = self._lost_events = self._in_hand = 0
        self._lingering: asyncio.Timeout | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def linger_s(self) -> float:
        """How long its end may have to be waited for, beside what all outputs get; often 0."""
        output = self.output
        return output.linger_s if self._lingering and isinstance(output, WithLinger) else 0.0

    async def start(self, run: RunInfo) -> None:
        """Return when it has started, or never will.

        Raises:
            CannotRun: It did not, and the run doesn't begin without it.
        """
        started = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._serve(run, started))
        await asyncio.wait([started, self.task], timeout=_START_S, return_when="FIRST_COMPLETED")
        if not started.done() and not self.task.done():
            why = f"did not start within {_START_S:.0f} s"
            self._fault = f"{why} and was left out"
            self._refusal = self._refused(why) if self._must_start else None
            self.task.cancel()
        if self._refusal is not None:
            raise self._refusal

    def _refused(self, why: str, hint: str = "") -> CannotRun:
        hint = hint or "with `optional: true` the run begins without it"
        return CannotRun(f"output `{self.output.name}`: {self._mask(why)}", hint=self._mask(hint))

    async def _serve(self, run: RunInfo, started: asyncio.Future[None]) -> None:
        """Work from the start of the output to its end."""
        output = self.output
        try:
            await output.start(run)
        except CannotRun as error:
            self._fault = f"was left out: {self._mask(error.message)}"
            self._refusal = self._refused(error.message, error.hint) if self._may_refuse else None
            return
        except Exception as error:  # noqa: BLE001 - as below
            self._fail(error)
            why = f"{type(error).__name__}: {error}"
            self._refusal = self._refused(why) if self._must_start else None
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
        output = self.output
        while not (self._is_over and self._queue.empty()):
            waiting = await self._queue.get()
            if waiting is None:
                continue
            item = waiting.item
            waiting.readers -= 1
            del waiting  # what the output has taken in is its own to hold
            if isinstance(item, Second):
                self._in_hand = 1
                await output.add(item)
                self._in_hand = 0
            elif isinstance(output, WithEvents):
                await output.hear(item)
        if self._result is not None and isinstance(output, WithResult):
            await output.take_result(self._result)
        if self._result is not None and isinstance(output, WithLinger):
            await self._linger(output)

    async def _linger(self, output: WithLinger) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(output.linger_s) as self._lingering:
                    await output.linger()
        finally:
            self._lingering = None

    def hurry(self) -> None:
        """Let it linger no longer."""
        if self._lingering is not None and not self._lingering.expired():
            self._lingering.reschedule(asyncio.get_running_loop().time())

    def _fail(self, error: Exception) -> None:
        if isinstance(error, CannotRun):  # it foresaw this: no line of code says more
            what, trace = error.message, f" {error.message}"
        else:
            what = f"{type(error).__name__}: {error}"
            trace = "\n" + "".join(traceback.format_exception(error))
        self._fault = self._fault or f"failed and was switched off: {self._mask(what)}"
        _logger.error("output failed name=%s%s", self.output.name, self._mask(trace))
        self._forget_queue()

    def add(self, second: Waiting, *, has_room: bool) -> None:
        if not self._put(second, has_room=has_room):
            self._lost_seconds += 1

    def hear(self, event: Waiting, *, has_room: bool) -> None:
        if self._hears and not self._put(event, has_room=has_room):
            self._lost_events += 1

    def _put(self, waiting: Waiting, *, has_room: bool) -> bool:
        """Queue it; False when the output is gone, or lags behind and there is no room."""
        if self._fault or not (has_room or self._queue.empty()):
            return False
        waiting.readers += 1
        self._queue.put_nowait(waiting)
        return True

    def finish(self, result: RunResult | None) -> None:
        """Let it end when it has seen everything; at once if it is still starting."""
        self._is_over, self._result = True, result
        if self.task is not None and not self._has_started:
            self.task.cancel()
        else:
            self._queue.put_nowait(None)  # it may be waiting for something

    def give_up(self) -> None:
        """Cancel it, unless it has ended."""
        if self.task is None or self.task.done():
            return
        self._fault = self._fault or f"did not end within {END_S:.0f} s and was abandoned"
        self._forget_queue()
        self.task.cancel()

    def _forget_queue(self) -> None:
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting is not None:
                waiting.readers -= 1
                is_second = isinstance(waiting.item, Second)
                self._lost_seconds += is_second
                self._lost_events += not is_second

    @property
    def has_delivered(self) -> bool:
        """Whether all of the run has reached it, and what it passes on has arrived."""
        return not (self._fault or self._missed_seconds or self._own_losses()[0])

    @property
    def _missed_seconds(self) -> int:
        """How many seconds it did not take in; one that it counts itself is not among them."""
        counts_itself = isinstance(self.output, WithLosses)
        return self._lost_seconds + (0 if counts_itself else self._in_hand)

    def _own_losses(self) -> tuple[int, str]:
        output = self.output
        if not isinstance(output, WithLosses):
            return 0, ""
        return output.lost_seconds, self._mask(output.loss)

    def notices(self) -> Iterator[str]:
        name = f"the output `{self.output.name}`"
        missed = self._missed() if self._has_started else ""
        if self._fault:
            yield "; ".join(filter(None, (f"{name} {self._fault}", missed)))
        elif self.task is not None and self.task.done() and self.task.cancelled():
            yield "; ".join(filter(None, (f"{name} was cancelled by itself", missed)))
        elif missed:
            yield f"{name} was too slow: {missed}"
        lost, why = self._own_losses()
        if lost:
            seconds = format_count(lost, "second")
            yield f"{name} could not deliver {seconds} of the run" + (f": {why}" if why else "")
        if self.is_required and not self.has_delivered:
            yield f"{name} is required, and did not get all of the run"

    def _missed(self) -> str:
        missed = [
            format_count(count, word)
            for count, word in ((self._missed_seconds, "second"), (self._lost_events, "event"))
            if count
        ]
        return f"{' and '.join(missed)} of the run did not reach it" if missed else ""
