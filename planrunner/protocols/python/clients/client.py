"""The client: imports functions before the load, and knows what its sessions did with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from planrunner.clock import Clock
from planrunner.protocols.base import Exchange
from planrunner.protocols.python.clients.call import BoundFunction, How, TimeUpError
from planrunner.protocols.python.clients.collections import CollectionCount
from planrunner.protocols.python.clients.context import SayLine
from planrunner.protocols.python.clients.imports import PlanCode
from planrunner.protocols.python.clients.session import PythonSession
from planrunner.protocols.python.clients.thread_call import ThreadCall
from planrunner.protocols.telling_clients import CallCost, ClientAccount
from planrunner.protocols.threads import Threads

__all__ = ["PythonClient", "open"]


class PythonClient:
    """Calls functions: in the loop, in threads, or in a process for each user."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock.now_ns
        self.count = CollectionCount()
        self.threads = Threads()
        self.tell: SayLine = _tell_nobody
        self.waiting: dict[ThreadCall, int] = {}
        self._left_running: Counter[str] = Counter()
        self._blocked_ns: Counter[str] = Counter()
        self._longest_block_ns: dict[str, int] = {}
        self._queued_ns = self._latency_ns = 0
        self._code = PlanCode()
        self._costs: dict[tuple[How, bool], int] = {}

    def bind(self, exchange: Exchange) -> BoundFunction:
        """Import a function.

        Raises:
            CannotRun: Its module can't be imported.
            UsageError: Its module has no such function.
        """
        operation = exchange.operation
        return BoundFunction(operation, self._code.function(operation), exchange.timeout_ns)

    def session(self) -> PythonSession:
        return PythonSession(self)

    def listen(self, tell: SayLine) -> None:
        """Have what functions log printed by `tell`."""
        self.tell = tell

    def cost_of(self, bound: BoundFunction) -> CallCost:
        """Measure what an empty function costs that is called in the same way."""
        from planrunner.protocols.python.clients.costs import empty_ns  # noqa: PLC0415 - rarely

        key = bound.how, bound.calls != 1
        if key not in self._costs:
            self._costs[key] = empty_ns(self, bound.how, in_batches=key[1])
        words = f"{bound.how}, in batches" if key[1] else str(bound.how)
        return CallCost(words, self._costs[key])

    def sweep(self, now_ns: int) -> None:
        """Wait no longer for calls whose time is up."""
        for call, deadline_ns in [*self.waiting.items()]:
            if deadline_ns < now_ns and not call.told.done():
                call.told.set_exception(TimeUpError())

    def account(self) -> ClientAccount:
        return ClientAccount(
            queued_ns=self._queued_ns,
            latency_ns=self._latency_ns,
            blocked=tuple(
                (name, took_ns, self._longest_block_ns[name])
                for name, took_ns in self._blocked_ns.items()
            ),
            left_running=tuple(self._left_running.items()),
        )

    def note_block(self, name: str, took_ns: int) -> None:
        """Count a call that everything else in the loop waited for."""
        self._blocked_ns[name] += took_ns
        self._longest_block_ns[name] = max(self._longest_block_ns.get(name, 0), took_ns)

    def note_queue(self, queued_ns: int, latency_ns: int) -> None:
        """Count how long a call waited for a thread, and what it took in all."""
        self._queued_ns += queued_ns
        self._latency_ns += latency_ns

    def give_up(self, name: str) -> None:
        """Count a call that goes on in its thread though nobody waits for it."""
        self._left_running[name] += 1
        self.threads.lost()

    async def close(self) -> None:
        self.threads.close()
        self.count.close()
        self._code.close()


def _tell_nobody(line: str, scope: Mapping[str, object]) -> None:
    del line, scope


def open(settings: None, clock: Clock) -> PythonClient:  # noqa: A001 - the registry's name
    """Open the client."""
    del settings
    return PythonClient(clock)
