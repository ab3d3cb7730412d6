"""The httpx client beyond the contract: proxies, one TLS context, honest times."""

from __future__ import annotations

import asyncio

import pytest

from planrunner.clock import MonotonicClock
from planrunner.protocols.base import Reply
from planrunner.protocols.http.clients.httpx import client as client_module
from planrunner.protocols.http.operation import HttpSettings
from planrunner.units import NS_PER_MS
from tests.support.http_servers import Certificates, Request, Wire, always, reply, serve
from tests.support.http_users import HttpUnderTest

HTTPX = HttpUnderTest("httpx", client_module.open, asyncio.run)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("authority"))


def test_environment_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the plan says which proxy is used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async def scenario() -> Reply:
        async with serve(always(reply())) as server, HTTPX.user() as user:
            return await user.get(server.origin)

    assert HTTPX.run(scenario).failure is None


def test_users_share_one_tls_context() -> None:
    """A context costs about 100 ms: each of 200 users would wait for its own."""
    client = client_module.open(HttpSettings(), MonotonicClock())

    sessions = [client.session() for _ in range(200)]
    transports = {id(session._client.tls) for session in sessions}

    assert len(transports) == 1


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
