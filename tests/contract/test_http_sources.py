"""What every HTTP client connects from, and when it closes what it has opened."""

from __future__ import annotations

from typing import cast

import pytest

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.operation import HttpSettings
from planrunner.protocols.http.url import Origin
from planrunner.protocols.telling_clients import IterationSession, Numbering
from tests.support.http_proxies import tunnelling_proxy
from tests.support.http_servers import Certificates, HttpServer, Request, Wire, always, reply, serve
from tests.support.http_users import HttpUnderTest, TestUser

SOURCES = ("127.0.0.2", "127.0.0.3", "127.0.0.4")


async def whence(_: Request, wire: Wire) -> None:
    """Answer with the address that the request came from."""
    await wire.send(reply(200, wire.writer.get_extra_info("peername")[0].encode()))


async def sources_of(user: TestUser, server: HttpServer, count: int) -> list[str]:
    """Send one request of each of some users."""
    found = []
    for number in range(count):
        session = cast("Numbering", user.client).session_of(number)
        got = await TestUser(user.client, session, {}).get(server.origin)
        found.append((got.body or b"").decode())
        await session.close()
    return found


def test_users_take_addresses_in_turn(http: HttpUnderTest) -> None:
    """By their number, whoever comes first."""

    async def scenario() -> None:
        async with serve(whence) as server, http.user(HttpSettings(sources=SOURCES)) as user:
            assert await sources_of(user, server, 4) == [*SOURCES, SOURCES[0]]

    http.run(scenario)


@pytest.mark.http1
def test_all_lanes_of_a_user_have_its_address(http: HttpUnderTest) -> None:
    """Requests side by side come from one machine."""

    async def scenario() -> None:
        async with serve(whence) as server, http.user(HttpSettings(sources=SOURCES)) as user:
            session = cast("Numbering", user.client).session_of(1)
            lanes = [TestUser(user.client, lane, {}) for lane in session.lanes(3)]
            got = {(await lane.get(server.origin)).body for lane in lanes}
            assert got == {b"127.0.0.3"}
            assert server.connections == 3
            await session.close()

    http.run(scenario)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_family_is_the_targets(http: HttpUnderTest, host: str) -> None:
    """Users take those in turn that reach it."""
    sources = ("127.0.0.2", "::1", "127.0.0.3")

    async def scenario() -> None:
        try:
            serving = serve(whence, host=host)
            async with serving as server, http.user(HttpSettings(sources=sources)) as user:
                found = await sources_of(user, server, 3)
        except OSError:
            pytest.skip("no IPv6 here")
        ours = [source for source in sources if (":" in source) == (":" in host)]
        assert found == [*ours, *ours, *ours][:3]

    http.run(scenario)


def test_a_name_is_reached_on_the_family_there_is(http: HttpUnderTest) -> None:
    """The other addresses of the name are passed over."""

    async def scenario() -> None:
        async with serve(whence) as server, http.user(HttpSettings(sources=SOURCES)) as user:
            got = await user.get(Origin("http", "localhost", server.origin.port))
            assert (got.failure, got.body) == (None, b"127.0.0.2")

    http.run(scenario)


@pytest.mark.parametrize(
    ("sources", "words"),
    [(("::1",), "`http.source_addresses`"), (("192.0.2.77",), "cannot assign requested address")],
)
def test_no_address_to_connect_from(
    http: HttpUnderTest, sources: tuple[str, ...], words: str
) -> None:
    """Is a failure `connect` that says so."""

    async def scenario() -> None:
        async with serve(whence) as server, http.user(HttpSettings(sources=sources)) as user:
            got = await user.get(server.origin)
            assert got.failure == FailureKind.CONNECT
            assert words in got.detail

    http.run(scenario)


def test_tls_and_tunnels_come_from_it_too(http: HttpUnderTest, certificates: Certificates) -> None:
    """What a proxy sees is the user's address; the target sees the proxy's."""

    async def scenario() -> None:
        async with serve(whence, tls=certificates.server) as server:
            origin = Origin("https", "localhost", server.origin.port)
            plain = HttpSettings(sources=SOURCES[1:], ca=certificates.ca)
            async with http.user(plain) as user:
                assert (await user.get(origin)).body == b"127.0.0.3"
            async with tunnelling_proxy() as proxy:
                tunnelled = HttpSettings(sources=SOURCES[1:], ca=certificates.ca, proxy=proxy.url)
                async with http.user(tunnelled) as user:
                    assert (await user.get(origin)).body == b"127.0.0.1"
                assert proxy.peers == ["127.0.0.3"]

    http.run(scenario)


@pytest.mark.http1
def test_plain_proxies_are_reached_from_it(http: HttpUnderTest) -> None:
    """Also when the target's name means nothing here."""

    async def scenario() -> None:
        async with serve(whence) as proxy:
            settings = HttpSettings(sources=SOURCES, proxy=proxy.url)
            async with http.user(settings) as user:
                got = await user.get(Origin("http", "shop.test", 80))
                assert got.body == b"127.0.0.2"

    http.run(scenario)


# -- connections that end with the iteration -----------------------------------------------


@pytest.mark.http1
def test_an_iteration_ends_its_connections(http: HttpUnderTest) -> None:
    """All lanes; cookies and headers stay, as they are the session's."""

    async def scenario() -> None:
        answer = always(reply(200, b"", ("Set-Cookie", "sid=1")))
        settings = HttpSettings(per_iteration=True)
        async with serve(answer) as server, http.user(settings) as user:
            session = cast("IterationSession", user.session)
            for _ in range(2):
                for lane in session.lanes(2):
                    for _ in range(2):
                        await TestUser(user.client, lane, {}).get(server.origin)
                await session.end_iteration()

            connections = [request.connection for request in server.requests]
            assert connections == [0, 0, 1, 1, 2, 2, 3, 3]
            assert [request.headers.get("cookie") for request in server.requests][1:] == [
                "sid=1"
            ] * 7

    http.run(scenario)
