"""The rest of an exchange when it is more than one write and one quick reply.

Connecting, retrying on a stale connection, redirects, cookies, large bodies, decoding, failures.
"""

from __future__ import annotations

import asyncio

from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.clients.decoding import decode_body
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.heads.head import ReplyHead, status_named
from planrunner.protocols.http.clients.http1.open_connection import OpenConnection, ReplyOutcome
from planrunner.protocols.http.clients.http1.user import WireUser
from planrunner.protocols.http.clients.request import IDEMPOTENT, LARGE, WireRequest
from planrunner.protocols.http.clients.rewrite import is_closing, method_of, next_hop, target_of
from planrunner.protocols.http.clients.signing.signer import MessageSigner
from planrunner.protocols.http.clients.streams.reading import StreamReading
from planrunner.protocols.http.clients.upload import Upload
from planrunner.protocols.http.url import Origin, UrlError, crosses, join
from planrunner.units import NS_PER_S
from planrunner.wire_wait import outcome_of

__all__ = ["WireExchange"]


class WireExchange:
    """One request of a user, from wherever the hot path left it.

    Attributes:
        origin: Of the hop under way.
        data: The hop's request without the user's own headers and cookies.
        upload: The rest of it, when it is read while it is sent.
        signer: Puts credentials into each message; None when `data` has all there is.
        reading: Takes the reply piece by piece; None where it is taken as a whole.
        has_crossed: A redirect has led where credentials don't go.
    """

    __slots__ = (
        "bound",
        "connection",
        "data",
        "has_crossed",
        "origin",
        "reading",
        "received",
        "signer",
        "upload",
        "user",
    )

    def __init__(
        self,
        user: WireUser,
        bound: WireRequest,
        origin: Origin,
        data: bytes,
        upload: Upload | None = None,
        signer: MessageSigner | None = None,
    ) -> None:
        self.user = user
        self.bound = bound
        self.origin = origin
        self.data = data
        self.upload = upload
        self.signer = signer
        self.reading: StreamReading | None = None
        self.has_crossed = False
        self.received = 0
        self.connection: OpenConnection | None = None

    async def run(self) -> Reply:
        """Send the request and see it through."""
        reply, user = self.user.reply, self.user
        user.clean()
        user.kept.release()
        reply.first_byte_ns = reply.sent_ns = reply.sent = 0
        reply.spoken = user.shared.spoken
        reply.asked_ns = user.now_ns()
        user.deadline_ns = reply.asked_ns + self.bound.timeout_ns
        return await self._conclude(reply, (), is_sent=False)

    async def resume(self, connection: OpenConnection, outcome: ReplyOutcome) -> Reply:
        """Go on after the hot path's write ended with more than a quick reply."""
        self.connection = connection
        spoken = self.user.reply.spoken
        self.user.clean()
        self.user.reply.spoken = spoken
        return await self._conclude(self.user.reply, outcome, is_sent=True)

    async def _conclude(self, reply: Reply, outcome: ReplyOutcome, *, is_sent: bool) -> Reply:
        try:
            head = await self._settle(outcome) if is_sent else await self._attempt()
            if self.signer is not None:
                head = await self._convince(self.signer, head)
            redirects = 0
            while head is not None:
                self._take_cookies(head.cookies)
                if not (head.location and self.bound.follows):
                    self._take_body(reply, head)
                    break
                if redirects == self.bound.max_redirects:
                    raise WireFault(FailureKind.PROTOCOL, f"too many redirects ({redirects})")
                redirects += 1
                reply.cookies += head.cookies
                self._follow(head)
                self._count()
                head = await self._attempt()
                if self.signer is not None:
                    head = await self._convince(self.signer, head)
            if self.bound.needs_care:
                reply.url = f"{self.origin}{target_of(self.data)}"
        except WireFault as fault:
            self._fail(reply, fault)
        reply.received = self.received
        self._glimpse(reply)
        return reply

    # -- one hop -----------------------------------------------------------------------------

    async def _attempt(self) -> ReplyHead | None:
        """Send the hop's request; None: the reply is filled in, and nothing left to do."""
        connection = self.user.connections.get(str(self.origin))
        if connection is None:
            connection = self.user.join(self.origin) or await self._open()
        return await self._settle(await self._write(connection))

    async def _convince(self, signer: MessageSigner, head: ReplyHead | None) -> ReplyHead | None:
        """Send again while the reply is a challenge that can be answered."""
        user, reply = self.user, self.user.reply
        while True:
            status, text = (reply.status, reply.head) if head is None else (head.status, head.text)
            if not signer.wants_again(status, text, user.identity.answers):
                return head
            if head is not None:
                self._take_cookies(head.cookies)
                self._count()
            reply.retries += 1
            head = await self._attempt()

    async def _settle(self, outcome: ReplyOutcome) -> ReplyHead | None:
        """Turn an outcome into a head; once more on a new connection if the old one was stale."""
        if isinstance(outcome, WireFault) and outcome.is_stale:
            if not (outcome.is_refused or method_of(self.data) in IDEMPOTENT):
                raise outcome
            self.user.reply.retries += 1
            again = self.user.join(self.origin) or await self._open()
            outcome = await self._write(again)
        if isinstance(outcome, WireFault):
            raise outcome
        if isinstance(outcome, ReplyHead):
            return outcome
        self._take_cookies(outcome)
        self.received += self.user.reply.received
        return None

    async def _open(self) -> OpenConnection:
        user, reply = self.user, self.user.reply
        user.current = None
        started_ns = user.now_ns()
        left_s = max(0, user.deadline_ns - started_ns) / NS_PER_S
        try:
            async with asyncio.timeout(left_s):
                connection = await user.open(self.origin)
        except TimeoutError as late:
            words = f"no connection to {self.origin} within the timeout"
            raise WireFault(FailureKind.TIMEOUT, words) from late
        finally:
            reply.connect_ns += user.now_ns() - started_ns
        return connection

    async def _write(self, connection: OpenConnection) -> ReplyOutcome:
        user, reply = self.user, self.user.reply
        data = self._dressed()
        connection.is_bodiless = data.startswith(b"HEAD ")
        connection.is_last = not self.bound.keepalive or is_closing(data)
        self.connection = user.current = connection
        user.written = data if len(data) <= LARGE else data[:LARGE]
        waiter = connection.expect(wants_body=self.bound.wants_body, stream=self.reading)
        reply.first_byte_ns = 0
        reply.spoken = None
        reply.sent_ns = reply.sent_ns or user.now_ns()
        try:
            if self.upload is not None:
                await connection.write_upload(data, self.upload.read())
            elif len(data) > LARGE:
                await connection.write_large(data)
            else:
                reply.sent += len(data)
                connection.write(data)
            return await outcome_of(waiter)
        except (asyncio.CancelledError, WireFault):  # a fault: of a file that is being sent
            connection.abort()
            raise
        finally:
            connection.is_bodiless = False

    def _dressed(self) -> bytes:
        identity, has_crossed = self.user.identity, self.has_crossed
        if self.signer is None:
            return identity.dress(self.data, self.origin, self.bound, has_crossed=has_crossed)
        return identity.sign(
            self.data,
            self.origin,
            self.bound,
            has_crossed=has_crossed,
            signer=self.signer,
            is_streamed=self.upload is not None,
        )

    # -- what a reply asks for -----------------------------------------------------------------

    def _take_cookies(self, cookies: tuple[str, ...]) -> None:
        if cookies:
            self.user.identity.store(cookies, self.origin, self.data)

    def _follow(self, head: ReplyHead) -> None:
        try:
            location = join(self.origin, target_of(self.data), head.location)
        except UrlError as fault:
            words = f"the redirect has no valid target: {fault.message}"
            raise WireFault(FailureKind.PROTOCOL, words) from fault
        self.user.identity.redirected(head.status, head.location)
        has_crossed = crosses(self.origin, location.origin)
        method = method_of(self.data)
        self.data = next_hop(self.data, head.status, location, has_crossed=has_crossed)
        if method_of(self.data) != method:
            self.upload = None
        self.origin = location.origin
        self.has_crossed = self.has_crossed or has_crossed

    def _take_body(self, reply: Reply, head: ReplyHead) -> None:
        reply.status = head.status
        reply.head = head.text
        content = self._count()
        if self.reading is not None and self.reading.takes(head.status):
            self.reading.end(reply)
            return
        if content is None or not head.encoding:
            reply.body = content
            return
        user = self.user
        reply.body = decode_body(
            content,
            head.encoding,
            limit=user.shared.limits.max_body,
            kept=user.kept,
            is_late=lambda: user.now_ns() > user.deadline_ns,
        )

    def _glimpse(self, reply: Reply) -> None:
        """Keep the beginning of a stream, whatever became of it."""
        if self.reading is not None and reply.arrivals is not None:
            self.user.glimpse = reply.head, self.reading.beginning

    def _count(self) -> bytes | None:
        """Count the body of the reply that has just ended, and return it if it was kept."""
        reading = None if self.connection is None else self.connection.take_body()
        if reading is None:
            return None
        self.received += reading.received
        return reading.content()

    def _fail(self, reply: Reply, fault: WireFault) -> None:
        connection = self.connection
        # What is known of a reply that broke off is kept.
        if connection is not None and connection.head is not None:
            reply.status, reply.head = connection.head.status, connection.head.text
        elif connection is not None and (status := status_named(connection.broken)) >= 200:
            reply.status, reply.head = status, connection.broken
        self._count()
        reply.body = None
        reply.failure = fault.kind
        reply.detail = fault.detail
        reply.sent_ns = reply.sent_ns or reply.asked_ns
        reply.ended_ns = self.user.now_ns()
