"""A run second by second, while it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final

from planrunner.engine.coordinator.events import Standing
from planrunner.errors import UsageError
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import ABORTED
from planrunner.metrics.snapshot import Snapshot
from planrunner.outputs.base import RunInfo, Second
from planrunner.python.arguments import check_keywords
from planrunner.python.calls import awaited
from planrunner.python.engine_thread import EngineThread
from planrunner.python.keywords import RunKeywords
from planrunner.python.plans import AnyPlan
from planrunner.python.results.elapsed import Elapsed
from planrunner.python.results.result import Result
from planrunner.values import dataclass

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["LiveFigures", "RunSecond", "RunStream", "stream"]

_ALL: Final = ""


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """What the requests that ended in one second came to, warm-up included.

    Attributes:
        count: How many there were.
        failed: Those of them that failed.
        p50: The median latency; 0 without requests, as are the others.
        p95: The 95th percentile.
        p99: The 99th percentile.
        max: The longest.
    """

    count: int
    failed: int
    p50: Elapsed
    p95: Elapsed
    p99: Elapsed
    max: Elapsed


@dataclass(frozen=True, slots=True)
class RunSecond:
    """One second of a run that goes on.

    Attributes:
        number: It ended so many seconds after the start of the load.
        ended: When that was, in UTC.
        phases: Those that ran at its end.
        users: Virtual users alive at its end.
        total: All requests together.
        requests: Each request that ended in it, by its name.
        thresholds: How each threshold stands.
    """

    number: int
    ended: datetime
    phases: tuple[str, ...]
    users: int
    total: LiveFigures
    requests: Mapping[str, LiveFigures]
    thresholds: tuple[Standing, ...]


class RunStream:
    """The seconds of a run, to be iterated over once with `async for`.

    The run begins with the iteration. Who leaves it early ends the run gracefully; `aclose` waits
    until its reports are written.
    """

    def __init__(self, plan: AnyPlan, keywords: RunKeywords) -> None:
        self._plan = plan
        self._keywords = keywords
        self._seconds: AsyncGenerator[RunSecond, None] | None = None
        self._result: Result | None = None

    @property
    def result(self) -> Result:
        """The result, after the last second.

        Raises:
            UsageError: The run has not ended.
        """
        if self._result is None:
            raise UsageError("the run has not ended", hint="iterate over its seconds first")
        return self._result

    def __aiter__(self) -> AsyncIterator[RunSecond]:
        if self._seconds is not None:
            raise UsageError("a stream is one run", hint="call `stream` again for another one")
        self._seconds = self._run()
        return self._seconds

    async def aclose(self) -> None:
        """End the run if it goes on, and wait until its reports are written."""
        if self._seconds is not None:
            await self._seconds.aclose()

    async def _run(self) -> AsyncGenerator[RunSecond, None]:
        queue: asyncio.Queue[RunSecond | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def put(second: RunSecond | None) -> None:
            with suppress(RuntimeError):  # the caller's loop has closed
                loop.call_soon_threadsafe(queue.put_nowait, second)

        thread = EngineThread(self._plan, self._keywords, (_SecondsOutput(put),))
        thread.ended.add_done_callback(lambda _: put(None))
        try:
            while (second := await queue.get()) is not None:
                yield second
        finally:
            if not thread.ended.done():
                thread.ask_to_stop("the stream was closed")
            self._result = await awaited(thread)


class _SecondsOutput:
    """The output that feeds a stream."""

    name = "stream"

    def __init__(self, put: Callable[[RunSecond], None]) -> None:
        self._put = put
        self._standings: Callable[[], Sequence[Standing]] = tuple

    def use_standings(self, standings: Callable[[], Sequence[Standing]]) -> None:
        self._standings = standings

    async def start(self, run: RunInfo) -> None:
        """Nothing has to be opened."""

    async def add(self, second: Second) -> None:
        figures = _figures(second.snapshot)
        self._put(
            RunSecond(
                second.number,
                second.ended,
                second.phases,
                sum(second.snapshot.users.values()),
                figures.pop(_ALL),
                figures,
                tuple(self._standings()),
            )
        )

    async def stop(self) -> None:
        """Nothing has to be closed."""


def _figures(snapshot: Snapshot) -> dict[str, LiveFigures]:
    """Return the figures of each request, those of all together without a name."""
    latencies = {_ALL: Histogram()}
    counts, failed = {_ALL: 0}, {_ALL: 0}
    for labels, delta in snapshot.deltas.items():
        if labels.kind != "request" or not labels.measured or labels.failure == ABORTED:
            continue
        for name in (_ALL, labels.request):
            latency = latencies.setdefault(name, Histogram())
            if labels.has_latency:
                latency.merge(delta.latency)
            counts[name] = counts.get(name, 0) + delta.count
            failed[name] = failed.get(name, 0) + (delta.count if labels.failure else 0)
    return {name: _summed(latencies[name], counts[name], failed[name]) for name in latencies}


def _summed(latency: Histogram, count: int, failed: int) -> LiveFigures:
    p50, p95, p99 = latency.percentiles((50, 95, 99)) if latency.count else (0, 0, 0)
    return LiveFigures(count, failed, *map(Elapsed, (p50, p95, p99, latency.max)))


def stream(plan: AnyPlan, **keywords: Unpack[RunKeywords]) -> RunStream:
    """Run a plan and look at it every second: `async for second in planrunner.stream(plan)`.

    Args:
        plan: The file of a plan, or a `Plan`.
        **keywords: As for `run`. Errors are raised by the iteration, as `run` raises them.

    Example:
        >>> async def watch() -> int:
        ...     seconds = planrunner.stream("shop.yaml")
        ...     return sum([second.total.count async for second in seconds])
        >>> asyncio.run(watch())
        60
    """
    check_keywords("stream", keywords, RunKeywords)
    return RunStream(plan, keywords)
