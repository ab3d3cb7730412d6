"""What goes on at regular times while a run lasts: sweeps, collections, and a look each second."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from planrunner.clock import Clock
from planrunner.engine.workers.local import Worker, sweep_interval_ns
from planrunner.graph.run_graph import RunGraph
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["each_second", "keep_sweeping"]

_COLLECT_NS: Final = 250 * NS_PER_MS
_COLLECTS_PER_SECOND: Final = NS_PER_S // _COLLECT_NS


async def keep_sweeping(worker: Worker, graph: RunGraph, clock: Clock) -> None:
    """Fail requests whose time is up, often enough for the plan's shortest timeout."""
    interval_ns = sweep_interval_ns(graph)
    due_ns = clock.now_ns()
    while True:
        due_ns += interval_ns
        await clock.sleep_until(due_ns)
        worker.sweep(due_ns)
        due_ns = max(due_ns, clock.now_ns() - interval_ns)  # no backlog after a stall


async def each_second(
    worker: Worker, clock: Clock, look: Callable[[int], Coroutine[Any, Any, None]]
) -> None:
    """Call `look` with the number of each second that is over, and collect in between."""
    beat = 0
    while True:
        beat += 1
        await clock.sleep_until(worker.started_ns + beat * _COLLECT_NS)
        if beat % _COLLECTS_PER_SECOND:
            worker.collect()
        else:
            await look(beat // _COLLECTS_PER_SECOND)
