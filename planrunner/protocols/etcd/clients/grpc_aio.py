"""The etcd client: etcd3's stubs on grpc.aio, one call in flight for each virtual user."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any, Final

from planrunner.clock import Clock
from planrunner.protocols.base import Exchange, FailureKind, Redirect, Scope, Sent
from planrunner.protocols.etcd.clients.faults import (
    FAIL_OVER,
    is_stale_token,
    map_failure,
    was_not_sent,
)
from planrunner.protocols.etcd.clients.lines import Access, Connection, ConnectionPool
from planrunner.protocols.etcd.clients.messages import Build, message_builder, renderer
from planrunner.protocols.etcd.operation import EtcdOperation, EtcdSettings, Watch
from planrunner.protocols.etcd.reply import EtcdReply
from planrunner.protocols.etcd.stubs import load_stubs
from planrunner.protocols.over_grpc.network import grpc
from planrunner.units import NS_PER_MS, NS_PER_S
from planrunner.values import dataclass

__all__ = ["GrpcClient", "Watcher", "open", "recall", "sent_message"]

_LEAST_S: Final = NS_PER_MS / NS_PER_S
_OUT_OF_TIME: Final = grpc.StatusCode.DEADLINE_EXCEEDED


@dataclass(frozen=True, slots=True)
class BoundCall:
    """A step, ready to send.

    Attributes:
        watcher: Of a watch, which is no single call.
    """

    method: str
    build: Build
    timeout_ns: int
    timeout_s: float
    needs_body: bool
    watcher: Watcher | None = None


class GrpcClient:
    """The etcd `Client` of one worker."""

    def __init__(self, settings: EtcdSettings, clock: Clock) -> None:
        self._stubs = load_stubs()
        self.clock = clock
        self.access = Access(settings, self._stubs)
        self._shared = [ConnectionPool(self.access) for _ in range(settings.connections)]
        self._next = cycle(self._shared)
        self._own: set[ConnectionPool] = set()
        self._told: Callable[[Sent | Redirect], None] | None = None

    def tap(self, told: Callable[[Sent | Redirect], None]) -> None:
        self._told = told

    def bind(self, exchange: Exchange) -> BoundCall:
        operation: EtcdOperation = exchange.operation
        action = operation.action
        return BoundCall(
            method=exchange.method,
            build=message_builder(self._stubs, action),
            timeout_ns=exchange.timeout_ns,
            timeout_s=exchange.timeout_ns / NS_PER_S,
            needs_body=operation.needs_body or self._told is not None,
            watcher=Watcher(self._stubs, action) if isinstance(action, Watch) else None,
        )

    def session(self) -> EtcdSession:
        if self._shared:
            return self.session_on(next(self._next), owns=False)
        lines = ConnectionPool(self.access)
        self._own.add(lines)
        return self.session_on(lines, owns=True)

    def session_on(self, lines: ConnectionPool, *, owns: bool) -> EtcdSession:
        if self._told is not None:
            return _TappedSession(self, lines, owns=owns, told=self._told)
        return EtcdSession(self, lines, owns=owns)

    def sweep(self, now_ns: int) -> None:
        """Do nothing: each call carries its deadline, which the member sees too."""

    async def release(self, lines: ConnectionPool) -> None:
        self._own.discard(lines)
        await lines.close()

    async def close(self) -> None:
        for lines in (*self._shared, *self._own):
            await lines.close()
        self._own.clear()


class EtcdSession:
    """One virtual user's way to etcd."""

    __slots__ = ("_access", "_asked", "_client", "_lines", "_now_ns", "_owns", "_reply")

    def __init__(self, client: GrpcClient, lines: ConnectionPool, *, owns: bool) -> None:
        self._client = client
        self._access = client.access
        self._now_ns = client.clock.now_ns
        self._lines = lines
        self._owns = owns
        self._reply = EtcdReply()
        self._asked: tuple[str, Any] = "", None

    async def send(self, bound: BoundCall, scope: Scope) -> EtcdReply:
        reply, now_ns = self._reply, self._now_ns
        asked_ns = now_ns()
        message = bound.build(scope)
        self._asked = bound.method, message
        reply.asked_ns = reply.sent_ns = asked_ns
        reply.failure = None
        reply.connect_ns = reply.connects = reply.retries = 0
        line = self._lines.current
        if not line.is_open or self._access.needs_token or bound.watcher is not None:
            return await self._send_carefully(bound, scope, message)
        try:
            answer = await line.calls[bound.method](
                message, timeout=bound.timeout_s, metadata=self._access.metadata
            )
        except grpc.aio.AioRpcError as error:
            return await self._failed(bound, scope, message, error)
        return self._answered(bound, message, answer)

    def _answered(self, bound: BoundCall, message: Any, answer: Any) -> EtcdReply:  # noqa: ANN401
        reply = self._reply
        reply.ended_ns = reply.first_byte_ns = self._now_ns()
        reply.status = 0
        reply.detail = ""
        reply.message = answer
        reply.received = answer.ByteSize()
        reply.sent = message.ByteSize()
        if bound.needs_body:
            reply.body = json.dumps(reply.data()).encode()
        return reply

    async def _failed(
        self,
        bound: BoundCall,
        scope: Scope,
        message: Any,  # noqa: ANN401 - generated code
        error: grpc.aio.AioRpcError,
    ) -> EtcdReply:
        """A call on an open connection failed: say so, or send it again where that is safe."""
        kind, code, words = map_failure(error)
        line = self._lines.current
        if is_stale_token(error):
            self._access.metadata = None
        elif not was_not_sent(kind):
            if kind in FAIL_OVER:
                self._lines.leave(line)
            return self._refused(message, kind, code, words)
        else:
            self._lines.leave(line)
        self._reply.retries += 1
        return await self._send_carefully(bound, scope, message)

    def _refused(self, message: Any, kind: FailureKind, code: int, words: str) -> EtcdReply:  # noqa: ANN401
        reply = self._reply
        reply.ended_ns = self._now_ns()
        reply.first_byte_ns = 0
        reply.failure, reply.status, reply.detail = kind, code, words
        reply.message = reply.body = None
        reply.received = 0
        reply.sent = 0 if message is None or was_not_sent(kind) else message.ByteSize()
        return reply

    async def _send_carefully(self, bound: BoundCall, scope: Scope, message: Any) -> EtcdReply:  # noqa: ANN401
        """Connect and get a token first; ask each member once before giving up."""
        reply, lines = self._reply, self._lines
        deadline_ns = reply.asked_ns + bound.timeout_ns
        tries = len(lines) + 1  # one more for a token that has become stale
        while True:
            tries -= 1
            line = lines.current
            try:
                await self._prepare(line, deadline_ns)
                reply.sent_ns = self._now_ns()
                answer = await self._call(line, bound, scope, message, deadline_ns)
            except grpc.aio.AioRpcError as error:
                kind, code, words = map_failure(error)
                if kind in FAIL_OVER:
                    lines.leave(line)
                stale = is_stale_token(error)
                if stale:
                    self._access.metadata = None
                is_over = tries <= (0 if stale else 1) or self._now_ns() >= deadline_ns
                if is_over or not (stale or was_not_sent(kind)):
                    return self._refused(message, kind, code, words)
                reply.retries += 1
            except TimeoutError:
                lines.leave(line)
                words = f"{_OUT_OF_TIME.name}: no connection within the timeout"
                code = int(_OUT_OF_TIME.value[0])
                return self._refused(None, FailureKind.TIMEOUT, code, words)
            else:
                return self._answered(bound, message, answer)

    async def _prepare(self, line: Connection, deadline_ns: int) -> None:
        """Open the connection if it isn't, and get a token if one is needed.

        Raises:
            AioRpcError: There is no token to be had.
            TimeoutError: The time is up.
        """
        if line.is_open and not self._access.needs_token:
            return
        began_ns = self._now_ns()
        if not line.is_open:
            if await line.connect(self._left_s(deadline_ns)):
                self._reply.connects += 1
            elif self._now_ns() >= deadline_ns:
                raise TimeoutError
        if self._access.needs_token:
            await self._access.renew(line, None, self._left_s(deadline_ns))
        self._reply.connect_ns += self._now_ns() - began_ns

    async def _call(
        self,
        line: Connection,
        bound: BoundCall,
        scope: Scope,
        message: Any,  # noqa: ANN401
        deadline_ns: int,
    ) -> Any:  # noqa: ANN401
        metadata, left_s = self._access.metadata, self._left_s(deadline_ns)
        if bound.watcher is not None:
            return await bound.watcher.wait(line, message, scope, metadata, left_s)
        return await line.calls[bound.method](message, timeout=left_s, metadata=metadata)

    def _left_s(self, deadline_ns: int) -> float:
        return max((deadline_ns - self._now_ns()) / NS_PER_S, _LEAST_S)

    def set_header(self, name: str, value: str | None) -> None:
        """Do nothing: `header` is about HTTP."""

    def renew(self) -> None:
        """Do nothing: a token is the plan's, and calls have no cookies."""

    def recall(self) -> tuple[str, str]:
        return recall(*self._asked, self._reply)

    def lanes(self, count: int) -> Sequence[EtcdSession]:
        """Return sessions on the same connection, which carries many calls at once."""
        client = self._client
        others = [client.session_on(self._lines, owns=False) for _ in range(count - 1)]
        return (self, *others)

    async def close(self) -> None:
        if self._owns:
            await self._client.release(self._lines)


class _TappedSession(EtcdSession):
    """Reports each message and keeps all of each reply, for debugging a plan."""

    __slots__ = ("_told",)

    def __init__(
        self,
        client: GrpcClient,
        lines: ConnectionPool,
        *,
        owns: bool,
        told: Callable[[Sent | Redirect], None],
    ) -> None:
        super().__init__(client, lines, owns=owns)
        self._told = told

    async def send(self, bound: BoundCall, scope: Scope) -> EtcdReply:
        endpoint = self._lines.current.endpoint
        reply = await super().send(bound, scope)
        if reply.failure is None:  # others may have been asked before
            endpoint = self._lines.current.endpoint
        if reply.sent:
            method, message = self._asked
            self._told(Sent(method, endpoint, (), sent_message(message).encode()))
        reply.head = (reply.detail.partition(": ")[0] or "OK").encode()
        return reply


def open(settings: EtcdSettings, clock: Clock) -> GrpcClient:  # noqa: A001 - the registry's name
    """Open the client: a `ClientFactory`."""
    return GrpcClient(settings, clock)


def recall(method: str, message: Any, reply: EtcdReply) -> tuple[str, str]:  # noqa: ANN401 - protobuf
    """Return a call as it left, and what was answered, for people to read."""
    if not reply.sent:
        return "", ""
    sent = f"{method}\n\n{sent_message(message)}"
    if reply.message is not None:
        return sent, _shown(reply.data())
    return sent, reply.detail


def sent_message(message: Any) -> str:  # noqa: ANN401 - protobuf
    """Return a request as JSON, as far as it says anything."""
    return _shown(_data(message))


def _shown(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2)


def _data(message: Any) -> dict[str, Any]:  # noqa: ANN401 - protobuf has no types
    return {field.name: _value(value) for field, value in message.ListFields()}


def _value(value: Any) -> object:  # noqa: ANN401 - of a field
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "ListFields"):
        return _data(value)
    return value if isinstance(value, str | int | float) else [_value(item) for item in value]


Metadata = tuple[tuple[str, str], ...] | None


class Watcher:
    """Waits as one `etcd.watch` step says."""

    def __init__(self, stubs: Any, watch: Watch) -> None:  # noqa: ANN401 - generated code
        self._stubs = stubs
        self._until = None if watch.until is None else renderer(watch.until)

    async def wait(
        self,
        line: Connection,
        request: Any,  # noqa: ANN401
        scope: Scope,
        metadata: Metadata,
        timeout_s: float,
    ) -> Any:  # noqa: ANN401
        """Return the message that says what was waited for.

        With `until` the key is read first, and watched from the revision after: a value that is
        already there, or comes between the two calls, is not missed.

        Raises:
            AioRpcError: A call failed, or the time is up.
        """
        create = {"key": request.key}
        wanted = None
        if self._until is not None:
            wanted = self._until(scope)
            found = await line.calls["get"](request, timeout=timeout_s, metadata=metadata)
            if any(pair.value == wanted for pair in found.kvs):
                return found
            create["start_revision"] = found.header.revision + 1
        stream = line.watch(timeout=timeout_s, metadata=metadata)
        try:
            await stream.write(self._stubs.WatchRequest(create_request=create))
            while (answer := await stream.read()) is not grpc.aio.EOF:
                if _tells(answer, wanted):
                    return answer
            # The member ended it: what it said why is the error of the call.
            raise grpc.aio.AioRpcError(
                grpc.StatusCode.UNAVAILABLE,
                grpc.aio.Metadata(),
                grpc.aio.Metadata(),
                details="the member ended the watch",
            )
        finally:
            stream.cancel()


def _tells(answer: Any, wanted: bytes | None) -> bool:  # noqa: ANN401
    if wanted is None:
        return bool(answer.events)
    return any(not event.type and event.kv.value == wanted for event in answer.events)
