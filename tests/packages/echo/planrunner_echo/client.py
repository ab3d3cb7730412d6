"""Sends lines: one connection for each user, opened when the user first sends."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from planrunner.protocols.base import FailureKind, Reply
from planrunner.units import NS_PER_S


def open_client(settings, clock):
    return EchoClient(settings, clock)


class EchoClient:
    def __init__(self, settings, clock):
        self.settings = settings
        self.clock = clock

    def bind(self, exchange):
        return exchange

    def session(self):
        return EchoSession(self)

    def sweep(self, now_ns):
        """Deadlines are asyncio's here."""

    async def close(self):
        """Sessions close their own connections."""


class EchoSession:
    def __init__(self, client):
        self._client = client
        self._streams = None
        self._lanes = [self]

    async def send(self, exchange, scope):
        line = str(exchange.operation(scope))  # may raise EvaluationError: then nothing is sent
        clock, reply = self._client.clock, Reply()
        reply.asked_ns = reply.sent_ns = clock.now_ns()
        try:
            async with asyncio.timeout(exchange.timeout_ns / NS_PER_S):
                await self._exchange(line, reply)
        except TimeoutError:
            self._fail(reply, FailureKind.TIMEOUT, "no line came back in time")
        except ConnectionRefusedError:
            self._fail(reply, FailureKind.CONNECT, "connection refused")
        except (OSError, EOFError) as error:
            self._fail(reply, FailureKind.RESET, str(error) or "the connection ended")
        reply.ended_ns = clock.now_ns()
        return reply

    async def _exchange(self, line, reply):
        clock, settings = self._client.clock, self._client.settings
        if self._streams is None:
            self._streams = await asyncio.open_connection(settings.host, settings.port)
            reply.connects = 1
            reply.connect_ns = clock.now_ns() - reply.asked_ns
        reader, writer = self._streams
        data = line.encode() + b"\n"
        reply.sent_ns, reply.sent = clock.now_ns(), len(data)
        writer.write(data)
        came = await reader.readuntil(b"\n")
        reply.first_byte_ns = clock.now_ns()
        reply.received, reply.body = len(came), came[:-1]
        reply.status = 1 if came.startswith(b"!") else 0

    def _fail(self, reply, kind, words):
        reply.failure, reply.detail = kind, words
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    def set_header(self, name, value):
        """Lines have no headers."""

    def renew(self):
        """A line says nothing of who sends it."""

    def lanes(self, count):
        while len(self._lanes) < count:
            self._lanes.append(EchoSession(self._client))
        return self._lanes[:count]

    async def close(self):
        for lane in self._lanes[1:]:  # they end with this session
            await lane.close()
        if self._streams is not None:
            self._streams[1].close()
            with suppress(OSError):
                await self._streams[1].wait_closed()
            self._streams = None
