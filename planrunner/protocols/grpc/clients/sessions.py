"""One virtual user's calls: unary, or with a stream in one direction or both."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from google.protobuf.message import DecodeError

from planrunner.clock import Clock
from planrunner.errors import CannotRun
from planrunner.metrics.arrivals import Arrivals
from planrunner.protocols.base import FailureKind, Redirect, Scope, Sent
from planrunner.protocols.grpc.clients.bound import BoundGrpcCall
from planrunner.protocols.grpc.clients.faults import map_failure, was_refused
from planrunner.protocols.grpc.clients.lines import GrpcLine
from planrunner.protocols.grpc.compile.prepare import PreparedCall
from planrunner.protocols.grpc.operation import CallMetadata, GrpcSettings
from planrunner.protocols.grpc.reply import GrpcReply
from planrunner.protocols.grpc.schema.methods import GrpcMethod, GrpcSchema
from planrunner.protocols.over_grpc.codes import CODES, code_name
from planrunner.protocols.over_grpc.failures import NOT_SENT
from planrunner.protocols.over_grpc.network import grpc
from planrunner.protocols.received import NOT_JSON
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["GrpcSession", "TappedGrpcSession"]

_LEAST_S: Final = NS_PER_MS / NS_PER_S
_LATE: Final = CODES.index("DEADLINE_EXCEEDED")
_MOST_SHOWN: Final = 100
_EOF: Final = grpc.aio.EOF


class SessionHome(Protocol):
    """What sessions share: a client, as they see it."""

    @property
    def clock(self) -> Clock: ...
    @property
    def settings(self) -> GrpcSettings: ...
    @property
    def schema(self) -> GrpcSchema | None: ...
    async def prepare(
        self, bound: BoundGrpcCall, line: GrpcLine, timeout_s: float
    ) -> PreparedCall: ...
    def session_on(self, line: GrpcLine, *, owns: bool) -> GrpcSession: ...
    async def release(self, line: GrpcLine) -> None: ...


class GrpcSession:
    """One virtual user's way to the server."""

    __slots__ = ("_asked", "_client", "_line", "_now_ns", "_owns", "_reply")

    def __init__(self, client: SessionHome, line: GrpcLine, *, owns: bool) -> None:
        self._client = client
        self._now_ns = client.clock.now_ns
        self._line = line
        self._owns = owns
        self._reply = GrpcReply()
        self._asked: tuple[BoundGrpcCall | None, Sequence[bytes], CallMetadata] = None, (), ()

    async def send(self, bound: BoundGrpcCall, scope: Scope) -> GrpcReply:
        prepared = bound.prepared
        if prepared is None:
            try:
                prepared = await self._client.prepare(bound, self._line, bound.timeout_s)
            except CannotRun as error:
                return self._unprepared(error)
        reply, line = self._reply, self._line
        method = prepared.method
        asked_ns = self._now_ns()
        messages = prepared.write_all(scope) if method.takes_stream else (prepared.write(scope),)
        metadata = bound.metadata_of(scope) if bound.metadata is None else bound.metadata
        self._asked = bound, messages, metadata
        reply.asked_ns = reply.sent_ns = asked_ns
        reply.failure = reply.message = reply.arrivals = reply.body = None
        reply.read = prepared.read
        reply.first_byte_ns = reply.connect_ns = reply.connects = reply.retries = 0
        reply.received = 0
        timeout_s = bound.timeout_s
        if not line.is_open:
            if not await self._connect(bound):
                return self._late(bound)
            timeout_s = self._left_s(bound)
        return await self._attempt(bound, prepared, timeout_s)

    async def _attempt(
        self,
        bound: BoundGrpcCall,
        prepared: PreparedCall,
        timeout_s: float,
        *,
        is_last: bool = False,
    ) -> GrpcReply:
        """Send what was asked; a call that the server has refused before it began once more."""
        reply = self._reply
        try:
            await self._call(bound, prepared, timeout_s)
        except grpc.aio.AioRpcError as error:
            if is_last or reply.received or not was_refused(error):
                return self._failed(bound, error)
            reply.retries = 1
            if not self._line.is_open and not await self._connect(bound):
                return self._late(bound)
            return await self._attempt(bound, prepared, self._left_s(bound), is_last=True)
        except DecodeError as error:
            return self._broken(bound, error)
        if bound.operation.reads_body:
            reply.body = reply.as_bytes()
        return self._answered(self._asked[1])

    # -- the kinds of calls ------------------------------------------------------------------

    async def _call(self, bound: BoundGrpcCall, prepared: PreparedCall, timeout_s: float) -> None:
        """Send a call and read its reply.

        Raises:
            AioRpcError: Its status isn't OK.
            DecodeError: A message of the reply is none.
        """
        method, reply = prepared.method, self._reply
        _, messages, metadata = self._asked
        parse = self._parser(method)
        begin = self._line.callable_of(method)
        if method.takes_stream:
            call = begin(timeout=timeout_s, metadata=metadata)
        else:
            call = begin(messages[0], timeout=timeout_s, metadata=metadata)
        try:
            if method.gives_stream:
                await self._converse(call, bound, parse, messages, method.takes_stream)
            else:
                if method.takes_stream:
                    await _write(call, messages)
                data = await call
                if data is None:
                    raise DecodeError("no message came")
                reply.received = len(data)
                reply.first_byte_ns = self._now_ns()
                reply.message = parse(data)
        finally:
            if bound.operation.reads_head:
                await self._keep_head(call)

    def _parser(self, method: GrpcMethod) -> Callable[[bytes], Any]:
        """Return what makes messages of the bytes that come."""
        return method.parse

    async def _converse(
        self,
        call: Any,  # noqa: ANN401 - grpc has no types
        bound: BoundGrpcCall,
        parse: Callable[[bytes], Any],
        messages: Sequence[bytes],
        takes_stream: bool,  # noqa: FBT001 - a private call
    ) -> None:
        """Read a stream, and write another beside it if there is one."""
        if not takes_stream:
            await self._read(call, bound, parse)
            return
        # A server may want to be read before it goes on reading.
        writing = asyncio.ensure_future(_write(call, messages))
        try:
            await self._read(call, bound, parse)
        finally:
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing

    async def _read(self, call: Any, bound: BoundGrpcCall, parse: Callable[[bytes], Any]) -> None:  # noqa: ANN401
        reply, now_ns, most = self._reply, self._now_ns, bound.operation.most_messages
        arrivals = reply.arrivals = Arrivals()
        while (data := await call.read()) is not _EOF:
            arrivals.note(now_ns())
            reply.received += len(data)
            reply.message = parse(data)
            if arrivals.count == most:
                call.cancel()
                break
        reply.first_byte_ns = arrivals.first_ns

    async def _keep_head(self, call: Any) -> None:  # noqa: ANN401
        """Keep the metadata that came, as headers are kept."""
        found = [*(await call.initial_metadata() or ()), *(await call.trailing_metadata() or ())]
        lines = [f"{name}: {_header_text(value)}" for name, value in found]
        self._reply.head = "\r\n".join(("HTTP/2", *lines)).encode("latin-1", "replace")

    # -- connecting --------------------------------------------------------------------------

    async def _connect(self, bound: BoundGrpcCall) -> bool:
        """Open the connection; False when the time is up. What else is wrong the call will say."""
        reply, began_ns = self._reply, self._now_ns()
        if await self._line.connect(self._left_s(bound)):
            reply.connects += 1
        elif self._now_ns() - reply.asked_ns >= bound.timeout_ns:
            return False
        reply.sent_ns = self._now_ns()
        reply.connect_ns += reply.sent_ns - began_ns
        return True

    def _left_s(self, bound: BoundGrpcCall) -> float:
        left_ns = self._reply.asked_ns + bound.timeout_ns - self._now_ns()
        return max(left_ns / NS_PER_S, _LEAST_S)

    # -- what came of it ---------------------------------------------------------------------

    def _answered(self, messages: Sequence[bytes]) -> GrpcReply:
        reply = self._reply
        reply.ended_ns = self._now_ns()
        reply.status = 0
        reply.detail = ""
        reply.sent = len(messages[0]) if len(messages) == 1 else sum(map(len, messages))
        return reply

    def _failed(self, bound: BoundGrpcCall, error: Any) -> GrpcReply:  # noqa: ANN401
        schema = self._client.schema
        kind, code, words = map_failure(error, bound.accept, schema and schema.pool)
        reply = self._answered(self._asked[1])
        reply.failure, reply.status, reply.detail = kind, code, words
        if kind in NOT_SENT:
            reply.sent = 0
        elif kind is None and not reply.first_byte_ns:
            reply.first_byte_ns = reply.ended_ns
        return reply

    def _broken(self, bound: BoundGrpcCall, error: DecodeError) -> GrpcReply:
        assert bound.prepared is not None
        reply = self._answered(self._asked[1])
        reply.failure = FailureKind.PROTOCOL
        name = bound.prepared.method.gives.full_name
        is_there = reply.received or reply.arrivals is not None
        reply.detail = f"a message that is not a `{name}`" if is_there else str(error)
        return reply

    def _late(self, bound: BoundGrpcCall) -> GrpcReply:
        reply = self._answered(())
        reply.failure, reply.status = FailureKind.TIMEOUT, _LATE
        reply.detail = f"{CODES[_LATE]}: no connection within the timeout"
        return reply

    def _unprepared(self, error: CannotRun) -> GrpcReply:
        reply = self._reply
        reply.asked_ns = reply.sent_ns = self._now_ns()
        reply.message = reply.arrivals = None
        reply.first_byte_ns = reply.connect_ns = reply.connects = reply.retries = 0
        reply.received = 0
        self._asked = None, (), ()
        self._answered(())
        reply.failure, reply.detail = FailureKind.PROTOCOL, error.message
        return reply

    # -- the rest of the contract ------------------------------------------------------------

    def set_header(self, name: str, value: str | None) -> None:
        """Do nothing: `header` is about HTTP, and calls have `metadata`."""

    def renew(self) -> None:
        """Do nothing: calls have no cookies."""

    def recall(self) -> tuple[str, str]:
        bound = self._asked[0]
        if bound is None or not self._reply.sent_ns:
            return "", ""
        sent = f"{bound.operation.method}\n\n{self._sent_text()}"
        return sent, self._reply.detail or self._reply.text()

    def _sent_text(self) -> str:
        """Return what was sent, as JSON; several messages as a list."""
        bound, messages, _ = self._asked
        schema = self._client.schema
        if bound is None or bound.prepared is None or schema is None:
            return ""
        takes = schema.new(bound.prepared.method.takes)
        shown = [schema.reader.read(takes().FromString(data)) for data in messages]
        many = bound.prepared.method.takes_stream
        return json.dumps(shown if many else shown[0], ensure_ascii=False, indent=2)

    def lanes(self, count: int) -> Sequence[GrpcSession]:
        """Return sessions on the same connection, which carries many calls at once."""
        client = self._client
        others = [client.session_on(self._line, owns=False) for _ in range(count - 1)]
        return (self, *others)

    async def close(self) -> None:
        if self._owns:
            await self._client.release(self._line)


async def _write(call: Any, messages: Sequence[bytes]) -> None:  # noqa: ANN401
    """Write a stream to its end. A server may end the call before; its status says why.

    `call.write` of grpc.aio replaces that status by INTERNAL when it can't write any more, so what
    lies below it is used.
    """
    with suppress(Exception):
        await call.wait_for_connection()
        wire = call._cython_call  # noqa: SLF001 - see above
        for data in messages:
            await wire.send_serialized_message(data)
        await wire.send_receive_close()


def _header_text(value: str | bytes) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


class TappedGrpcSession(GrpcSession):
    """Reports each call and keeps all of each reply, for debugging a plan."""

    __slots__ = ("_came", "_told")

    def __init__(
        self,
        client: SessionHome,
        line: GrpcLine,
        *,
        owns: bool,
        told: Callable[[Sent | Redirect], None],
    ) -> None:
        super().__init__(client, line, owns=owns)
        self._told = told
        self._came: list[Any] = []

    def _parser(self, method: GrpcMethod) -> Callable[[bytes], Any]:
        came = self._came = []

        def parse(data: bytes) -> Any:  # noqa: ANN401 - protobuf
            message = method.parse(data)
            if len(came) < _MOST_SHOWN:
                came.append(message)
            return message

        return parse

    async def send(self, bound: BoundGrpcCall, scope: Scope) -> GrpcReply:
        reply = await super().send(bound, scope)
        if reply.failure not in NOT_SENT and self._asked[0] is not None:
            headers = tuple((name, _header_text(value)) for name, value in self._asked[2])
            target = self._client.settings.target
            body = self._sent_text().encode()
            self._told(Sent(bound.operation.method, target, headers, body))
        _, _, lines = reply.head.partition(b"\r\n")
        reply.head = code_name(reply.status).encode() + (b"\r\n" + lines if lines else b"")
        reply.body = self._shown().encode() if reply.data() is not NOT_JSON else None
        return reply

    def _shown(self) -> str:
        """Return what came, as JSON: the messages of a stream as a list."""
        if self._reply.arrivals is None:
            return self._reply.text()
        read = self._reply.read
        return json.dumps([read(message) for message in self._came], ensure_ascii=False, indent=2)
