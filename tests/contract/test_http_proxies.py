"""How every HTTP client goes through a proxy."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from planrunner.protocols.base import FailureKind, Recalling, Reply
from planrunner.protocols.http.operation import HttpSettings, StaticBody, StreamBody
from planrunner.protocols.http.url import Origin
from tests.support.http_proxies import tunnelling_proxy
from tests.support.http_servers import (
    Certificates,
    Request,
    Wire,
    always,
    closed_port,
    reply,
    serve,
)
from tests.support.http_users import HttpUnderTest

SHOP = Origin("http", "shop.test", 80)
BASIC = "Basic " + b64encode(b"me:p@ss").decode()


def with_credentials(url: str) -> str:
    return url.replace("://", "://me:p%40ss@")


@pytest.mark.http1
def test_proxy_is_asked_for_the_whole_url(http: HttpUnderTest) -> None:
    """Plain HTTP goes to the proxy with an absolute target, written as it is sent without one."""

    async def scenario() -> None:
        async with serve(always(reply(200, b"via", ("Set-Cookie", "a=b; Path=/")))) as proxy:
            async with http.user(HttpSettings(proxy=proxy.url)) as user:
                got = [await user.get(SHOP, "/a/../b?x={}") for _ in range(2)]
                got.append(await user.get(Origin("http", "other.test", 81)))

            assert [(each.failure, each.body) for each in got] == [(None, b"via")] * 3
            first, second, third = proxy.requests
            assert first.target == second.target == "http://shop.test/a/../b?x=%7B%7D"
            assert (first.connection, second.connection) == (0, 0)
            assert second.headers["host"] == "shop.test"
            assert second.headers["cookie"] == "a=b"
            assert third.target == "http://other.test:81/"
            assert third.headers["host"] == "other.test:81"
            assert "proxy-authorization" not in first.headers

    http.run(scenario)


@pytest.mark.http1
def test_proxy_is_told_who_asks(http: HttpUnderTest) -> None:
    """With each plain request; and nobody who reads reports is."""

    async def scenario() -> None:
        async with serve(always(reply(500, b"via"))) as proxy:
            async with http.user(HttpSettings(proxy=with_credentials(proxy.url))) as user:
                for _ in range(2):
                    await user.get(SHOP)
                session = user.session
                assert isinstance(session, Recalling)
                sent, _ = session.recall()

            said = [request.headers["proxy-authorization"] for request in proxy.requests]
            assert said == [BASIC, BASIC]
            assert BASIC.partition(" ")[2] not in sent
            assert "GET http://shop.test/" in sent

    http.run(scenario)


@pytest.mark.http1
@pytest.mark.parametrize("how", ["large", "upload"])
def test_large_bodies_go_through_a_proxy(http: HttpUnderTest, tmp_path: Path, how: str) -> None:
    """The target stands in front of the first piece, and of no other."""
    content = bytes(range(256)) * 5_000
    file = tmp_path / "body"
    file.write_bytes(content)
    body = StaticBody(content) if how == "large" else StreamBody((file,))

    async def scenario() -> None:
        async with serve(always(reply(201))) as proxy:
            async with http.user(HttpSettings(proxy=proxy.url)) as user:
                got = await user.get(SHOP, "/up", method="POST", body=body)

            assert (got.failure, got.status) == (None, 201)
            assert proxy.requests[0].target == "http://shop.test/up"
            assert proxy.requests[0].body == content

    http.run(scenario)


@pytest.mark.http1
def test_redirects_are_asked_of_the_proxy_too(http: HttpUnderTest) -> None:
    """Each hop is a whole URL."""

    async def respond(request: Request, wire: Wire) -> None:
        is_first = request.target.endswith("/from")
        there = ("Location", "http://other.test/to")
        await wire.send(reply(302, b"", there) if is_first else reply(200, b"there"))

    async def scenario() -> None:
        async with serve(respond) as proxy:
            async with http.user(HttpSettings(proxy=proxy.url)) as user:
                got = await user.get(SHOP, "/from")

            assert got.body == b"there"
            targets = [request.target for request in proxy.requests]
            assert targets == ["http://shop.test/from", "http://other.test/to"]

    http.run(scenario)


@pytest.mark.parametrize("has_credentials", [False, True])
def test_tls_goes_through_a_tunnel(
    http: HttpUnderTest, certificates: Certificates, *, has_credentials: bool
) -> None:
    """The proxy sees CONNECT and nothing else; the certificate is the target's."""

    async def scenario() -> None:
        async with (
            serve(always(reply(200, b"deep")), tls=certificates.server) as target,
            tunnelling_proxy() as proxy,
        ):
            url = with_credentials(proxy.url) if has_credentials else proxy.url
            origin = Origin("https", "localhost", target.origin.port)
            async with http.user(HttpSettings(proxy=url, ca=certificates.ca)) as user:
                got = [await user.get(origin, "/a?b") for _ in range(2)]

            assert [(each.failure, each.body) for each in got] == [(None, b"deep")] * 2
            assert [each.connects for each in got] == [1, 0]
            assert [request.target for request in target.requests] == ["/a?b", "/a?b"]
            assert "proxy-authorization" not in target.requests[0].headers
            (head,) = proxy.heads
            assert head.startswith(f"CONNECT localhost:{target.origin.port} HTTP/1.1\r\n")
            assert (f"Proxy-Authorization: {BASIC}\r\n" in head) == has_credentials

    http.run(scenario)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
    ],
)
def test_proxy_that_refuses_is_a_connect_failure(http: HttpUnderTest, answer: bytes) -> None:
    """No connection to the target came about, so it has no status."""

    async def scenario() -> Reply:
        async with (
            tunnelling_proxy(answer) as proxy,
            http.user(HttpSettings(proxy=with_credentials(proxy.url))) as user,
        ):
            return await user.get(Origin("https", "shop.test", 443))

    got = http.run(scenario)

    assert (got.failure, got.status) == (FailureKind.CONNECT, 0)
    assert "p@ss" not in got.detail
    assert "p%40ss" not in got.detail


@pytest.mark.http1
def test_proxy_that_demands_credentials(http: HttpUnderTest) -> None:
    """A plain request gets the proxy's own reply."""

    async def scenario() -> Reply:
        refusal = always(reply(407, b"who?"))
        async with serve(refusal) as proxy, http.user(HttpSettings(proxy=proxy.url)) as user:
            return await user.get(SHOP)

    got = http.run(scenario)

    assert (got.failure, got.status, got.body) == (None, 407, b"who?")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_is_not_there(http: HttpUnderTest, scheme: str) -> None:
    """It is a `connect` failure, whatever the target."""

    async def scenario() -> Reply:
        settings = HttpSettings(proxy=f"http://127.0.0.1:{closed_port()}")
        async with http.user(settings) as user:
            return await user.get(Origin(scheme, "shop.test", 443))

    assert http.run(scenario).failure == FailureKind.CONNECT
