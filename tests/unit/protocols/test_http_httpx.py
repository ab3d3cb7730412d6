"""The httpx client beyond the contract: proxies, one TLS context, honest times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from planrunner.clock import MonotonicClock
from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.clients.httpx import client as client_module
from planrunner.protocols.http.operation import HttpSettings
from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_MS
from tests.support.http_servers import Certificates, Request, Wire, always, reply, serve, serve_raw
from tests.support.http_users import HttpUnderTest

HTTPX = HttpUnderTest("httpx", client_module.open, asyncio.run)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("authority"))


@dataclass(slots=True)
class Proxy:
    url: str
    lines: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def tunnelling_proxy(answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> AsyncIterator[Proxy]:
    """Serve CONNECT: open the connection it asks for, and pass bytes both ways."""

    async def converse(wire: Wire, _: int) -> None:
        head = await wire.reader.readuntil(b"\r\n\r\n")
        proxy.lines.append(head.split(b"\r\n")[0])
        await wire.send(answer)
        if b" 200 " not in answer:
            return
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            with suppress(ConnectionError):
                await asyncio.gather(_pump(wire.reader, writer), _pump(reader, wire.writer))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async with serve_raw(converse) as server:
        proxy = Proxy(server.url)
        yield proxy


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def test_proxy_is_asked_for_the_whole_url() -> None:
    """Plain HTTP goes to the proxy with an absolute target, written as it is sent without one."""

    async def scenario() -> tuple[Reply, list[Request]]:
        async with serve(always(reply(200, b"via"))) as proxy:
            async with HTTPX.user(HttpSettings(proxy=proxy.url)) as user:
                got = await user.get(Origin("http", "shop.test", 80), "/a/../b?x={}")
            return got, proxy.requests

    got, requests = HTTPX.run(scenario)

    assert (got.failure, got.body) == (None, b"via")
    assert [request.target for request in requests] == ["http://shop.test/a/../b?x=%7B%7D"]
    assert requests[0].headers["host"] == "shop.test"


def test_tls_goes_through_a_tunnel(authority: Certificates) -> None:
    """The proxy sees CONNECT and nothing else; the certificate is the target's."""

    async def scenario() -> tuple[Reply, list[bytes], list[Request]]:
        async with serve(always(reply(200, b"deep")), tls=authority.server) as target:
            async with tunnelling_proxy() as proxy:
                settings = HttpSettings(proxy=proxy.url, ca=authority.ca)
                origin = Origin("https", "localhost", target.origin.port)
                async with HTTPX.user(settings) as user:
                    got = await user.get(origin, "/a?b")
            return got, proxy.lines, target.requests

    got, lines, requests = HTTPX.run(scenario)

    assert (got.failure, got.body, got.connects) == (None, b"deep", 1)
    assert [request.target for request in requests] == ["/a?b"]
    assert [line.split(b" ")[0] for line in lines] == [b"CONNECT"]


def test_proxy_that_refuses_is_a_connect_failure() -> None:
    """No connection to the target came about."""

    async def scenario() -> Reply:
        refusal = b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
        async with (
            tunnelling_proxy(refusal) as proxy,
            HTTPX.user(HttpSettings(proxy=proxy.url)) as user,
        ):
            return await user.get(Origin("https", "shop.test", 443))

    got = HTTPX.run(scenario)

    assert (got.failure, got.status) == (FailureKind.CONNECT, 0)


def test_environment_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the plan says which proxy is used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async def scenario() -> Reply:
        async with serve(always(reply())) as server, HTTPX.user() as user:
            return await user.get(server.origin)

    assert HTTPX.run(scenario).failure is None


def test_users_share_one_tls_context() -> None:
    """A context costs about 100 ms; 200 users get theirs in no time."""
    clock = MonotonicClock()
    client = client_module.open(HttpSettings(), clock)

    started_ns = clock.now_ns()
    sessions = [client.session() for _ in range(200)]
    transports = {id(session._client.tls) for session in sessions}

    assert len(transports) == 1
    assert clock.now_ns() - started_ns < 500 * NS_PER_MS


def test_times_follow_the_exchange() -> None:
    """Asked, connected, sent, first byte, ended: in this order, the server's pause inside."""

    async def respond(_: Request, wire: Wire) -> None:
        await asyncio.sleep(0.03)
        await wire.send(reply(200, b"x" * 10)[:-5])
        await asyncio.sleep(0.03)
        await wire.send(b"x" * 5)

    async def scenario() -> Reply:
        async with serve(respond) as server, HTTPX.user() as user:
            return await user.get(server.origin)

    got = HTTPX.run(scenario)

    assert got.asked_ns < got.sent_ns < got.first_byte_ns < got.ended_ns
    assert 0 < got.connect_ns <= got.sent_ns - got.asked_ns
    assert got.first_byte_ns - got.sent_ns >= 25 * NS_PER_MS
    assert got.ended_ns - got.first_byte_ns >= 25 * NS_PER_MS
