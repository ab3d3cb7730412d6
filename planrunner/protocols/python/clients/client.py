"""Calls functions for users: each call is a sample."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from planrunner.clock import Clock
from planrunner.protocols.base import Exchange, FailureKind, Reply, Scope, Session
from planrunner.protocols.python.clients.call import BoundFunction, ThreadCall, raised
from planrunner.protocols.python.clients.collections import CollectionCount
from planrunner.protocols.python.clients.context import SayLine
from planrunner.protocols.python.clients.imports import PlanCode
from planrunner.protocols.python.clients.threads import Threads
from planrunner.protocols.python.operation import RETURNED, PythonReply
from planrunner.protocols.telling_clients import ClientAccount
from planrunner.units import NS_PER_MS, NS_PER_S, format_duration

__all__ = ["PythonClient", "open"]

_SHORT_NS: Final = 5 * NS_PER_MS  # what a call in the loop may take before others notice


class PythonClient:
    """Imports functions before the load, and calls them: in the loop, or in threads."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock.now_ns
        self.count = CollectionCount()
        self.threads = Threads()
        self.tell: SayLine = _tell_nobody
        self.waiting: dict[ThreadCall, int] = {}
        self.left_running: Counter[str] = Counter()
        self.blocked_ns: Counter[str] = Counter()
        self.longest_block_ns: dict[str, int] = {}
        self._queued_ns = self._latency_ns = 0
        self._code = PlanCode()

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

    def sweep(self, now_ns: int) -> None:
        """Wait no longer for calls whose time is up."""
        for call, deadline_ns in [*self.waiting.items()]:
            if deadline_ns < now_ns and not call.done.done():
                call.done.set_exception(TimeoutError())

    def account(self) -> ClientAccount:
        return ClientAccount(
            queued_ns=self._queued_ns,
            latency_ns=self._latency_ns,
            blocked=tuple(
                (name, took_ns, self.longest_block_ns[name])
                for name, took_ns in self.blocked_ns.items()
            ),
            left_running=tuple(self.left_running.items()),
        )

    def note_block(self, name: str, took_ns: int) -> None:
        """Count a call that everything else in the loop waited for."""
        self.blocked_ns[name] += took_ns
        self.longest_block_ns[name] = max(self.longest_block_ns.get(name, 0), took_ns)

    def note_queue(self, queued_ns: int, latency_ns: int) -> None:
        """Count how long a call waited for a thread, and what it took in all."""
        self._queued_ns += queued_ns
        self._latency_ns += latency_ns

    def give_up(self, name: str) -> None:
        """Count a call that goes on in its thread though nobody waits for it."""
        self.left_running[name] += 1
        self.threads.lost()

    async def close(self) -> None:
        self.threads.close()
        self.count.close()
        self._code.close()


def _tell_nobody(line: str, scope: Mapping[str, object]) -> None:
    del line, scope


class PythonSession:
    """One user's calls, one at a time."""

    __slots__ = ("_client", "_count", "_now", "_reply")

    def __init__(self, client: PythonClient) -> None:
        self._client = client
        self._count = client.count
        self._now = client.now
        self._reply = PythonReply()

    async def send(self, bound: BoundFunction, scope: Scope) -> Reply:  # noqa: C901 - the hot path
        given = bound.given(scope, self._client.tell)
        if not bound.in_loop:
            return await self._in_thread(bound, given, scope)
        reply, now, count = self._reply, self._now, self._count
        before, began_ns = count.number, now()
        try:
            value = bound.function(**given)
            ended_ns = now()
            if ended_ns - began_ns > _SHORT_NS:
                self._client.note_block(bound.name, ended_ns - began_ns)
            if hasattr(value, "__await__"):
                async with asyncio.timeout(bound.timeout_ns / NS_PER_S):
                    value = await value
                ended_ns = now()
            elif ended_ns - began_ns > bound.timeout_ns:
                raise TimeoutError
        except CancelledError as error:
            if _is_told_to_end():
                raise
            return self._failed(bound, began_ns, error)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary: a stranger's code
            return self._failed(bound, began_ns, error)
        reply.failure, reply.status, reply.detail = None, RETURNED, ""
        reply.asked_ns = reply.sent_ns = began_ns
        reply.ended_ns = ended_ns
        reply.value = value
        reply.collections = count.number - before
        if bound.target:
            scope[bound.target] = value
        return reply

    async def _in_thread(self, bound: BoundFunction, given: dict[str, Any], scope: Scope) -> Reply:
        client, asked_ns = self._client, self._now()
        call = ThreadCall(
            bound.function,
            given,
            loop=asyncio.get_running_loop(),
            now=self._now,
            count=lambda: client.count.number,
        )
        client.waiting[call] = asked_ns + bound.timeout_ns
        has_to_wait = client.threads.run(call)
        try:
            await call.done
        except TimeoutError as error:
            client.give_up(bound.name)
            return self._failed(bound, asked_ns, error)
        except CancelledError:
            if not call.ended_ns:
                client.give_up(bound.name)
            raise
        finally:
            del client.waiting[call]
        if has_to_wait:
            client.note_queue(call.began_ns - asked_ns, call.ended_ns - asked_ns)
        if call.error is not None:
            return self._failed(bound, asked_ns, call.error)
        reply = self._reply
        reply.failure, reply.status, reply.detail = None, RETURNED, ""
        reply.asked_ns, reply.sent_ns, reply.ended_ns = asked_ns, call.began_ns, call.ended_ns
        reply.value, reply.collections = call.value, call.collections
        if bound.target:
            scope[bound.target] = call.value
        return reply

    def _failed(self, bound: BoundFunction, began_ns: int, error: BaseException) -> Reply:
        reply = self._reply
        reply.asked_ns = reply.sent_ns = began_ns
        reply.ended_ns = self._now()
        reply.status = reply.collections = 0
        if isinstance(error, TimeoutError) and reply.ended_ns - began_ns >= bound.timeout_ns:
            limit = format_duration(bound.timeout_ns)
            reply.failure = FailureKind.TIMEOUT
            reply.detail = f"`{bound.name}` took longer than {limit}"
        else:
            reply.failure, reply.detail = FailureKind.ERROR, raised(bound.name, error)
        return reply

    def set_header(self, name: str, value: str | None) -> None:
        """Do nothing: a call has no headers."""

    def renew(self) -> None:
        """Do nothing: calls keep nothing of a visitor."""

    def lanes(self, count: int) -> Sequence[Session]:
        return [self, *(PythonSession(self._client) for _ in range(count - 1))]

    async def close(self) -> None:
        """Do nothing: threads are everybody's."""


def _is_told_to_end() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def open(settings: None, clock: Clock) -> PythonClient:  # noqa: A001 - the registry's name
    """Open the client."""
    del settings
    return PythonClient(clock)
