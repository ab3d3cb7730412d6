"""One user's connections, and the steps on them.

Messages have a way of their own each (`ManyWays`): sending and receiving take the few statements of
each, and no look at which of them it is. Other steps are bound to an object that a session hands
itself to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from planrunner.language.expressions.values import UNDEFINED, Evaluate, EvaluationError
from planrunner.protocols.base import FailureKind, Scope, Sent
from planrunner.protocols.http.clients.identity import WireIdentity
from planrunner.protocols.http.clients.retries import Sender
from planrunner.protocols.received import NOT_JSON, read_json, read_text
from planrunner.protocols.ws.clients.connection import WsConnection, WsEnding
from planrunner.protocols.ws.clients.messages import BoundReceive, BoundSend
from planrunner.protocols.ws.clients.opening import SocketConnector
from planrunner.protocols.ws.operation import WsSettings
from planrunner.protocols.ws.reply import WsReply
from planrunner.units import NS_PER_S
from planrunner.values import dataclass
from planrunner.wire_wait import WireWait

__all__ = ["BoundStep", "HttpVisitor", "WsBound", "WsSession", "WsShared"]

_GOODBYE_NS: Final = NS_PER_S
"""How long a server may take to hang up after a connection was closed."""

_MOST_SHOWN: Final = 64 * 1024


class HttpVisitor(Sender, Protocol):
    """The user's session of HTTP: its cookies, headers and tokens."""

    identity: WireIdentity


class BoundStep(Protocol):
    """A step that opens or closes a connection, ready to run."""

    def run(self, session: WsSession, scope: Scope) -> Awaitable[WsReply]: ...


WsBound = BoundSend | BoundReceive | BoundStep


@dataclass(frozen=True, slots=True)
class WsShared:
    """What the users of one client have in common.

    Attributes:
        told: Shows what is sent; None under load.
        sessions: Those not closed yet, lanes too.
        closing: Connections that were closed here and not yet there, with when to hang up.
    """

    settings: WsSettings
    now_ns: Callable[[], int]
    connector: SocketConnector
    told: Callable[[Sent], None] | None
    sessions: set[WsSession]
    closing: dict[WsConnection, int]


class WsSession:
    """The `Session` of one user, or of one of its lanes, which share the connections.

    Attributes:
        visitor: The user as HTTP knows it.
        connections: By name, those that have ended too.
        reply: Of the last step, used again for the next; …
        sent_reply: … but for messages that were sent: what that says never fails.
        deadline_ns: Of what is waited for.
        wait: What is waited with.
        where: The connection that it is waited at, or was.
        since_ns: When that began.
        seeks: Not just any message is waited for: …
        until: … which, …
        left: … and how many of them.
        last_words: Why the last message that did not fit has no value for `until`.
        written: The last message that was sent.
    """

    ways: Final = ("send", "send_message", "receive")

    __slots__ = (
        "_before",
        "_lanes",
        "_scope",
        "connections",
        "deadline_ns",
        "last_words",
        "left",
        "number",
        "reply",
        "seeks",
        "sent_reply",
        "shared",
        "since_ns",
        "until",
        "visitor",
        "wait",
        "where",
        "written",
    )

    def __init__(
        self, shared: WsShared, number: int, connections: dict[str, WsConnection] | None = None
    ) -> None:
        self.shared = shared
        self.number = number
        self.connections = {} if connections is None else connections
        self.visitor: HttpVisitor | None = None
        self.reply = WsReply()
        self.sent_reply = WsReply()
        self.deadline_ns = self.since_ns = self.left = 0
        self.wait: WireWait[None] = WireWait(self, self.reply)
        self.wait.outcome = None
        self.seeks = False
        self.until: Evaluate | None = None
        self.where: WsConnection | None = None
        self.last_words = ""
        self.written = b""
        self._scope: Scope = {}
        self._before: tuple[object, object] = (UNDEFINED, UNDEFINED)
        self._lanes = [self]

    def send(self, bound: WsBound, scope: Scope) -> Awaitable[WsReply]:
        if isinstance(bound, BoundSend):
            return self.send_message(bound, scope)
        if isinstance(bound, BoundReceive):
            return self.receive(bound, scope)
        return bound.run(self, scope)

    # -- connections -------------------------------------------------------------------------

    def connection(self, on: str) -> WsConnection | None:
        """Return the connection of a name; without one the only one there is, open or not."""
        connections = self.connections
        if on or len(connections) != 1:
            return connections.get(on)
        for connection in connections.values():
            return connection
        return None

    def not_open(self, on: str) -> WsReply:
        """Return the failure of a step whose connection is not there."""
        connection, reply = self.connection(on), self.reply
        reply.begin(self.shared.now_ns())
        named = f" `{on}`" if on else ""
        ending = None if connection is None else connection.ending
        if connection is None:
            words = f"there is no connection{named} that is open"
            reply.fail(FailureKind.CONNECT, words, ends=True)
        elif connection.receiver is not None:
            words = f"another step of the user waits at the connection{named}"
            reply.fail(FailureKind.ERROR, words, ends=True)
        elif ending is not None and not connection.is_told:
            connection.is_told = True
            reply.fail(ending.kind, ending.detail, status=ending.status, ends=True)
        else:
            why = "" if ending is None else f": {ending.detail}"
            words = f"the connection{named} is not open{why}"
            reply.fail(FailureKind.CONNECT, words, ends=True)
        return reply

    def put(self, name: str, connection: WsConnection) -> None:
        """Keep a connection under a name; one that had it is closed."""
        before = self.connections.get(name)
        if before is not None:
            self.close_one(before)
        self.connections[name] = connection

    def forget(self, connection: WsConnection) -> None:
        """Take a connection that ends out of those there are."""
        for name, other in list(self.connections.items()):
            if other is connection:
                del self.connections[name]

    def close_one(self, connection: WsConnection) -> None:
        """Say goodbye on a connection; who doesn't answer is hung up on later."""
        connection.close()
        if connection.transport is not None:
            self.shared.closing[connection] = self.shared.now_ns() + _GOODBYE_NS

    # -- messages ----------------------------------------------------------------------------

    def send_message(self, bound: BoundSend, scope: Scope) -> Awaitable[WsReply]:
        data = bound.data or bound.rendered(scope)
        connection: WsConnection | None
        try:
            connection = self.connections[bound.on]
        except KeyError:
            connection = self.connection(bound.on)
        if connection is None or connection.ending is not None:
            return self.not_open(bound.on)
        self.written = data
        if bound.told is not None:
            bound.tell(bound.told, data, connection)
        reply, deflate, now_ns = self.sent_reply, connection.deflate, bound.now_ns
        connection.sent_ns = reply.asked_ns = reply.sent_ns = now_ns()
        if deflate is None or not deflate.compresses:
            size = len(data)
            connection.transport.send(bound.kind, data)
        else:
            packed = deflate.compress(data)
            size = len(packed)
            connection.transport.send(bound.kind, packed, True, True)  # noqa: FBT003 - picows' own
        reply.sent = size
        connection.sent += size
        reply.ended_ns = now_ns()
        if connection.drained is not None:
            return self._drain(bound, connection, connection.drained)
        return reply

    async def _drain(
        self, bound: BoundSend, connection: WsConnection, drained: asyncio.Future[None]
    ) -> WsReply:
        """Wait until what is to be written is little again."""
        sent, reply = self.sent_reply, self.reply
        try:
            async with asyncio.timeout(bound.timeout_ns / NS_PER_S):
                await asyncio.shield(drained)
        except TimeoutError:
            words = "the server did not read what was sent within the timeout"
            reply.begin(sent.asked_ns)
            reply.fail(FailureKind.TIMEOUT, words, ends=True)
            reply.ended_ns = self.shared.now_ns()
            return reply
        if (ending := connection.ending) is not None:
            connection.is_told = True
            reply.begin(sent.asked_ns)
            reply.fail(ending.kind, ending.detail, status=ending.status, ends=True)
            reply.ended_ns = self.shared.now_ns()
            return reply
        sent.ended_ns = self.shared.now_ns()
        return sent

    def receive(self, bound: BoundReceive, scope: Scope) -> Awaitable[WsReply]:
        connection: WsConnection | None
        try:
            connection = self.connections[bound.on]
        except KeyError:
            connection = self.connection(bound.on)
        if (
            connection is None
            or connection.receiver is not None
            or (connection.ending is not None and not connection.queue)
        ):
            return self.not_open(bound.on)
        reply, read_ns = self.reply, bound.now_ns
        now_ns = read_ns()
        if reply.is_dirty:
            reply.await_message(now_ns)
        reply.sent, connection.sent = connection.sent, 0
        self.where, self.since_ns = connection, now_ns
        if bound.seeks:
            self.seek(bound.until, bound.count, scope)
        if connection.queue and self.take_queued(connection):
            return reply
        connection.receiver = self
        self.deadline_ns = now_ns + bound.timeout_ns
        wait = self.wait
        wait.is_pending = True  # and not `begin`: nothing comes before it is awaited
        return wait

    def seek(self, until: Evaluate | None, count: int, scope: Scope) -> None:
        """Want only messages that fit, or some of them."""
        self.seeks = True
        self.until, self.left, self._scope = until, count, scope
        self.last_words = ""
        self._before = scope.get("json", UNDEFINED), scope.get("body", UNDEFINED)
        self.reply.received = 0

    def take_queued(self, connection: WsConnection) -> bool:
        """Take what came while nobody waited; returns whether nothing more will come of it."""
        while connection.queue:
            if self.take(*connection.next_message()):
                return True
        if connection.ending is not None:
            self.lose(connection.ending)
            return True
        return False

    def take(self, came_ns: int, asked_ns: int, data: bytes) -> bool:
        """Look at a message; returns whether it is the last that is waited for.

        Args:
            came_ns: When it came.
            asked_ns: When the last one before it was sent; 0 for none.
            data: What it says.
        """
        reply = self.reply
        reply.body = data
        if not self.seeks:
            reply.received = len(data)
        elif not self._is_last(reply, data):
            return False
        connection: Any = self.where
        if asked_ns > connection.answered_ns:
            connection.answered_ns = asked_ns
        else:
            asked_ns = min(self.since_ns, came_ns)
        reply.asked_ns = reply.sent_ns = asked_ns
        reply.first_byte_ns = reply.ended_ns = came_ns
        connection.receiver = None
        wait = self.wait
        if wait.is_pending:  # else it waited already, or its step has been cancelled in this turn
            wait.is_pending = False
            resume = wait.resume
            resume()
        return True

    def _is_last(self, reply: WsReply, data: bytes) -> bool:
        if self.until is not None and not self._fits(reply):
            reply.unmatched += 1
            reply.is_dirty = True
            return False
        reply.received += len(data)
        self.left -= 1
        if self.left:
            return False
        self.until, self.seeks = None, False
        return True

    def _fits(self, reply: WsReply) -> bool:
        scope, until = self._scope, self.until
        assert until is not None
        data = reply.parsed(read_json)
        scope["json"] = UNDEFINED if data is NOT_JSON else data
        scope["body"] = reply.parsed(read_text)
        try:
            return bool(until(scope))
        except EvaluationError as error:
            self.last_words = str(error)
            return False

    def lose(self, ending: WsEnding) -> None:
        """Fail: the connection has ended."""
        assert self.where is not None
        self.where.is_told = True
        self._fail(ending.kind, ending.detail, ending.status)

    def expire(self) -> None:
        """Fail what is waited for, if anything is: its deadline has passed."""
        self.deadline_ns = 0
        if not self.wait.is_pending:
            return
        reply = self.reply
        words = "no message came" if reply.unmatched < 1 else "no message that fits came"
        if self.until is None or reply.unmatched < 1:
            self._fail(FailureKind.TIMEOUT, f"{words} within the timeout")
            return
        others = f"{reply.unmatched} other{'s' if reply.unmatched > 1 else ''}"
        last = f"; of the last, {self.last_words}" if self.last_words else ""
        self._fail(FailureKind.TIMEOUT, f"{words} within the timeout, but {others}{last}")

    def _fail(self, kind: FailureKind, words: str, status: int = 0) -> None:
        reply = self.reply
        reply.set_aside()
        reply.fail(kind, words, status=status)
        if self.until is not None:  # what did not fit is no reply to anything
            self._scope["json"], self._scope["body"] = self._before
        connection = self.where
        assert connection is not None
        if connection.sent_ns > connection.answered_ns:
            reply.asked_ns = reply.sent_ns = connection.answered_ns = connection.sent_ns
        else:
            reply.asked_ns = reply.sent_ns = self.since_ns
        reply.first_byte_ns = 0
        reply.ended_ns = self.shared.now_ns()
        self.let_go()
        if self.wait.is_pending:
            self.wait.end(None)

    def go_on(self, outcome: object) -> Awaitable[WsReply]:
        raise AssertionError(outcome)  # the reply says all

    def let_go(self) -> None:
        """Wait no longer."""
        if self.where is not None and self.where.receiver is self:
            self.where.receiver = None
        self.until, self.seeks = None, False
        self.deadline_ns = 0

    def recall(self) -> tuple[str, str]:
        """Return the last message that was sent, and what came last: a message, or a handshake."""
        reply = self.reply
        came = reply.head + (b"\r\n" if reply.head else b"") + (reply.body or reply.beside)
        return _shown(self.written), _shown(came)

    # -- what the engine calls ---------------------------------------------------------------

    def accompany(self, session: HttpVisitor) -> None:
        self.visitor = session

    def set_header(self, name: str, value: str | None) -> None:
        """Do nothing: handshakes have the headers of the user's HTTP."""

    def renew(self) -> None:
        """Be another visitor: what is open was opened by the one before."""
        for connection in self.connections.values():
            self.close_one(connection)
        self.connections.clear()

    def lanes(self, count: int) -> Sequence[WsSession]:
        while len(self._lanes) < count:
            lane = WsSession(self.shared, self.number, self.connections)
            lane.visitor = self.visitor
            self.shared.sessions.add(lane)
            self._lanes.append(lane)
        return self._lanes[:count]

    async def end_iteration(self) -> None:
        for name, connection in list(self.connections.items()):
            if not connection.lasts:
                del self.connections[name]
                self.close_one(connection)

    async def close(self) -> None:
        for lane in self._lanes:
            self.shared.sessions.discard(lane)
        self.renew()
        # Goodbyes leave in the loop's next turn.
        await asyncio.sleep(0)


def _shown(data: bytes) -> str:
    return data[:_MOST_SHOWN].decode("utf-8", "replace")
