"""An asyncio loop on which waiting costs no real time, for deterministic tests of timing."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from planrunner.clock import Wakeable
from planrunner.units import NS_PER_S

__all__ = ["VirtualClock", "VirtualTimeLoop", "run_virtual"]

T = TypeVar("T")

# Not 0, so that nothing can take a moment for "unset"; exact in a float to far below 1 ns.
_START_NS = 1_000 * NS_PER_S


class _Selector(selectors.SelectSelector):
    """Jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = _START_NS

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("deadlock: every task waits and no timer is set")
        if not ready and timeout:
            self.now_ns += round(timeout * NS_PER_S)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop with a clock that jumps; uvloop can't do this."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_ns / NS_PER_S

    def now_ns(self) -> int:
        return self._virtual.now_ns

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's own
        """End its threads, which takes none of this time."""
        del timeout
        threads: Executor | None = getattr(self, "_default_executor", None)
        if threads is not None:
            threads.shutdown()

    def stall(self, wait_ns: int) -> None:
        """Let time pass in which nothing runs."""
        self._virtual.now_ns += wait_ns


class VirtualClock:
    """A `Clock` that reads the running virtual-time loop, exact to the nanosecond."""

    def now_ns(self) -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        return loop.now_ns()

    async def sleep_until(self, due_ns: int) -> None:
        while (wait_ns := due_ns - self.now_ns()) > 0:
            await asyncio.sleep(wait_ns / NS_PER_S)

    def wake(self, waiter: Wakeable, due_ns: int) -> None:
        if waiter.done():
            return
        if (wait_ns := due_ns - self.now_ns()) > 0:
            timer = waiter.get_loop().call_later(wait_ns / NS_PER_S, self.wake, waiter, due_ns)
            if isinstance(waiter, asyncio.Future):
                waiter.add_done_callback(lambda _: timer.cancel())
        else:
            waiter.set_result(None)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in virtual time; a hang is a RuntimeError instead."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
