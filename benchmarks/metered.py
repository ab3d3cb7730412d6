"""The command line, which writes what each second of load took, and what of that was for outputs.

`python -m benchmarks.metered FILE execute PLAN …`. Outputs are told of every other second only, so
that each has another one beside it in which they had nothing to do: in the same process, at the
same time, on a machine that is as busy. Which of two comes first follows the Thue-Morse sequence,
in which nothing that drifts or repeats can hide.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from benchmarks.processes import thread_times
from planrunner.cli.group import run
from planrunner.engine.coordinator.accumulator import Accumulator
from planrunner.engine.coordinator.events import Event, Tick
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.snapshot import Snapshot
from planrunner.outputs.fan_out import FanOut
from planrunner.outputs.lane import Lane

__all__ = ["FIRST_S", "Timed", "is_told"]

FIRST_S = 0.1
"""The part of a second in which outputs do what they are told at its begin."""


def is_told(second: int) -> bool:
    """Whether outputs are told of a second: of one of 2n and 2n + 1."""
    return second.bit_count() % 2 == 0


class Meter:
    """What went on since the last second ended.

    Attributes:
        seconds: Those that are over.
        own_ns: What the outputs' tasks, and telling them, took of the thread of the load.
        longest_ns: The longest of it at a time.
        late: How long after they were due iterations began.
        page: The process of the live page; 0 without one.
        book: Where the load writes its samples.
    """

    def __init__(self) -> None:
        self.seconds: list[dict[str, Any]] = []
        self.own_ns = self.longest_ns = self.page = self._requests = 0
        self.late = Histogram()
        self.book = SeriesBook()
        self._was_told = False
        self._began = self._now()
        self._first: dict[str, int] = {}

    def _now(self) -> tuple[int, ...]:
        cpu_ns = time.process_time_ns()
        threads_ns = cpu_ns - time.thread_time_ns()
        page_ns = thread_times(self.page)[0] if self.page else 0
        return cpu_ns, self.own_ns, threads_ns, page_ns, self._requests

    def time(self, call: Callable[..., Any], *arguments: object) -> Any:
        """Return what a call of outputs returns."""
        began_ns = time.thread_time_ns()
        try:
            return call(*arguments)
        finally:
            took_ns = time.thread_time_ns() - began_ns
            self.own_ns += took_ns
            self.longest_ns = max(self.longest_ns, took_ns)

    def drained(self, book: SeriesBook, snapshot: Snapshot) -> None:
        """Count what left the book."""
        self.book = book
        deltas = snapshot.deltas.items()
        self._requests += sum(one.count for key, one in deltas if key.kind == "request")

    def end_second(self, told: int) -> None:
        """Note what it took; the next one is that in which outputs do what they are told now."""
        late = self.late.to_bytes().hex() if self.late.count else ""
        said = {"told": self._was_told, "longest_ns": self.longest_ns, "late": late}
        self.seconds.append({**said, **self._since(), "first": self._first})
        self._was_told, self._began, self._first = is_told(told), self._now(), {}
        self.late, self.longest_ns = Histogram(), 0
        asyncio.get_running_loop().call_later(FIRST_S, self._end_first, told)

    def _end_first(self, second: int) -> None:
        if len(self.seconds) != second:  # so late that the next one has begun
            return
        opened = [one for one in self.book.opened if one.labels.kind == "request"]
        waiting = sum(len(one.same_ns) + len(one.latency_ns) for one in opened)
        self._first = self._since()
        self._first["requests"] += waiting

    def _since(self) -> dict[str, int]:
        words = ("cpu_ns", "own_ns", "threads_ns", "page_ns", "requests")
        pairs = zip(self._now(), self._began, strict=True)
        return dict(zip(words, (now - began for now, began in pairs), strict=True))


class Timed(Coroutine[Any, Any, Any]):
    """A coroutine whose steps are timed; what it awaits happens as without."""

    def __init__(self, inner: Coroutine[Any, Any, Any], meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def send(self, value: Any) -> Any:
        return self._meter.time(self._inner.send, value)

    def throw(self, *error: Any) -> Any:
        return self._meter.time(self._inner.throw, *error)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Any:
        return (yield from self._inner.__await__())


def watch(meter: Meter) -> None:
    """Let a meter see what runs of this process do."""
    tell, serve, add, drain = FanOut.tell, Lane._serve, Accumulator.add, SeriesBook.drain  # noqa: SLF001

    def metered_tell(self: FanOut, event: Event) -> None:
        if isinstance(event, Tick):
            meter.end_second(event.second)
            if not is_told(event.second):
                return
        meter.time(tell, self, event)

    def metered_add(self: Accumulator, drained: Any, *rest: Any) -> None:
        for late in drained.lateness.values():
            meter.late.merge(late)
        add(self, drained, *rest)

    def metered_drain(self: SeriesBook, *arguments: Any) -> Snapshot:
        snapshot = drain(self, *arguments)
        meter.drained(self, snapshot)
        return snapshot

    SeriesBook.drain = metered_drain
    Accumulator.add = metered_add
    FanOut.tell = metered_tell
    Lane._serve = lambda *arguments: Timed(serve(*arguments), meter)  # noqa: SLF001
    if "--ui" in sys.argv:
        _watch_page(meter)


def _watch_page(meter: Meter) -> None:
    from planrunner.web import page_process  # noqa: PLC0415 - what most runs don't import

    heed, begin = page_process.heed, page_process.PageProcess.__init__

    def noted(self: Any, *arguments: Any) -> None:
        begin(self, *arguments)
        meter.page = self._process.pid

    page_process.PageProcess.__init__ = noted
    page_process.heed = lambda *arguments: Timed(heed(*arguments), meter)


def main() -> None:
    file, meter = Path(sys.argv.pop(1)), Meter()
    watch(meter)
    try:
        code = run(sys.argv[1:])
    finally:
        file.write_text(json.dumps(meter.seconds))
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
