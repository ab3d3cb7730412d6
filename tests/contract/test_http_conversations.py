"""What every HTTP client remembers and follows: cookies, redirects, content codings."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.operation import HttpSettings, StaticBody
from planrunner.protocols.http.replies.body import set_cookies
from planrunner.protocols.http.url import Origin, quote_target
from tests.support.http_servers import (
    Certificates,
    HttpServer,
    Request,
    Wire,
    always,
    reply,
    serve,
)
from tests.support.http_users import HttpUnderTest, TestUser, answered, converse


def redirect(status: int, location: str, *headers: tuple[str, str]) -> bytes:
    return reply(status, b"moved", ("Location", location), *headers)


# -- cookies -------------------------------------------------------------------------------


def test_cookies_come_back(http: HttpUnderTest) -> None:
    """What a reply sets, later requests send, where path allows; deleting works."""

    async def respond(request: Request, wire: Wire) -> None:
        cookies = {
            "/login": [("Set-Cookie", "sid=1; Path=/"), ("set-cookie", "deep=2; Path=/deep")],
            "/logout": [("SET-COOKIE", "sid=; Path=/; Max-Age=0")],
        }
        await wire.send(reply(200, b"ok", *cookies.get(request.target, [])))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for target in ("/", "/login", "/a", "/deep/er?x=/", "/logout", "/b"):
            await user.get(server.origin, target)

        sent = {got.target: got.headers.get("cookie") for got in server.requests}
        assert sent == {
            "/": None,
            "/login": None,
            "/a": "sid=1",
            "/deep/er?x=/": "deep=2; sid=1",
            "/logout": "sid=1",
            "/b": None,
        }

    converse(http, respond, scenario)


def test_cookies_belong_to_one_user(http: HttpUnderTest) -> None:
    """A second session of the same client knows nothing of the first one's."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        other = TestUser(user.client, user.client.session(), {})
        await other.get(server.origin)
        await other.session.close()

        assert [got.headers.get("cookie") for got in server.requests] == [None, None]

    converse(http, always(reply(200, b"", ("Set-Cookie", "sid=1"))), scenario)


def test_another_visitor_finds_nothing_but_the_connection(http: HttpUnderTest) -> None:
    """Cookies and headers of the one before are gone; none is connected anew, on any lane."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.session.set_header("X-Who", "first")
        await user.get(server.origin)
        await user.get(server.origin)
        user.session.renew()
        replied = await user.get(server.origin)
        user.session.set_header("X-Who", "second")
        await user.get(server.origin)

        sent = [(got.headers.get("x-who"), got.headers.get("cookie")) for got in server.requests]
        assert sent == [("first", None), ("first", "sid=1"), (None, None), ("second", "sid=1")]
        assert replied.connects == 0

    converse(http, always(reply(200, b"", ("Set-Cookie", "sid=1"))), scenario)


COOKIED = always(reply(200, b"", ("Set-Cookie", "sid=1"), ("Set-Cookie", "b=2")))


@pytest.mark.parametrize(
    ("own", "sent"),
    [("own=1", "own=1; sid=1; b=2"), ("sid=9; own=1;", "sid=9; own=1; b=2"), ("", "sid=1; b=2")],
)
def test_cookies_of_plan_and_jar_go_together(http: HttpUnderTest, own: str, sent: str) -> None:
    """The plan's first; of one name, the plan's alone."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin, headers={"Cookie": own})
        await user.get(server.origin, headers={"Cookie": own})
        user.session.set_header("cookie", own)
        await user.get(server.origin)
        await user.get(server.origin, headers={"Cookie": "of=plan"})

        cookies = [request.headers["cookie"] for request in server.requests]
        assert cookies == [own, sent, sent, sent]
        raw = [request.raw.lower().count(b"\r\ncookie:") for request in server.requests]
        assert raw == [1, 1, 1, 1]

    converse(http, COOKIED, scenario)


def test_a_step_has_the_last_word_on_its_cookies(http: HttpUnderTest) -> None:
    """What it says takes the place of what the user has set; the jar's still go with it."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        user.session.set_header("Cookie", "user=1")
        names = frozenset({"cookie"})
        await user.get(server.origin, headers={"Cookie": "step=1"}, own_names=names)
        user.session.set_header("Cookie", None)
        await user.get(server.origin)

        cookies = [request.headers.get("cookie") for request in server.requests]
        assert cookies == [None, "step=1; sid=1; b=2", None]

    converse(http, COOKIED, scenario)


def test_cookies_of_redirects_are_kept_for_extraction(http: HttpUnderTest) -> None:
    """A login that redirects sets its cookie on the way; the next request begins anew."""

    async def respond(request: Request, wire: Wire) -> None:
        login = redirect(302, "/home", ("Set-Cookie", "sid=1; Path=/"))
        await wire.send(login if request.target == "/login" else reply(200, b"ok"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, "/login")
        assert set_cookies(got, "sid") == ["1"]
        again = await user.get(server.origin, "/home")
        assert set_cookies(again, "sid") == []

    converse(http, respond, scenario)


# -- redirects -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "GET", "GET"),
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (302, "PUT", "PUT"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
    ],
)
def test_redirect_method(http: HttpUnderTest, status: int, method: str, then: str) -> None:
    """Who becomes GET loses its body and what described it; the others keep both."""

    async def respond(request: Request, wire: Wire) -> None:
        data = redirect(status, "to?x=1") if request.target == "/from" else reply(200)
        await wire.send(data.removesuffix(b"moved") if request.method == "HEAD" else data)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        has_body = method in ("POST", "PUT")
        body = StaticBody(b"abc", "text/plain") if has_body else None
        got = await user.get(server.origin, "/from", method=method, body=body)

        second = server.requests[1]
        kept = has_body and then == method
        assert (got.failure, got.status) == (None, 200)
        assert (second.method, second.target) == (then, "/to?x=1")
        assert second.body == (b"abc" if kept else b"")
        assert ("content-type" in second.headers) == kept
        assert ("content-length" in second.headers) == kept

    converse(http, respond, scenario)


def test_redirect_is_one_sample(http: HttpUnderTest) -> None:
    """Last status and body, all bytes of all hops, one connection, no retry."""

    async def respond(request: Request, wire: Wire) -> None:
        await wire.send(redirect(302, "/to") if request.target == "/" else reply(201, b"made"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin)

        assert (got.status, got.body, got.connects, got.retries) == (201, b"made", 1, 0)
        assert got.received == len(b"moved" + b"made")
        assert http.sent(sum(len(request.raw) for request in server.requests)) in (got.sent, None)

    converse(http, respond, scenario)


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("target", ["/", "/a b?q=ü#part"])
def test_a_reply_knows_where_it_came_from(http: HttpUnderTest, target: str, *, kept: bool) -> None:
    """The last URL of all hops, as it was asked for; of later requests on a connection too."""

    async def respond(request: Request, wire: Wire) -> None:
        leads_on = request.target == "/"
        await wire.send(redirect(302, "to?x=1#end") if leads_on else reply(200, b"made"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        origin, seen = server.origin, []
        for _ in range(3):
            sent = quote_target(target.partition("#")[0])
            got = await user.get(origin, sent, needs_url=True, keepalive=kept)
            seen.append(got.url)

        ending = "/to?x=1" if target == "/" else "/a%20b?q=%C3%BC"
        assert seen == [f"{origin}{ending}"] * 3

    converse(http, respond, scenario)


def test_redirect_sets_and_sends_cookies(http: HttpUnderTest) -> None:
    """A cookie set by a redirect goes with the request it leads to."""

    async def respond(request: Request, wire: Wire) -> None:
        first = redirect(303, "/home", ("Set-Cookie", "sid=1; Path=/"))
        await wire.send(first if request.target == "/login" else reply(200))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin, "/login")

        assert server.requests[1].headers["cookie"] == "sid=1"

    converse(http, respond, scenario)


def test_redirect_to_another_host_leaves_credentials_behind(http: HttpUnderTest) -> None:
    """Authorization and Cookie stay with the host they were meant for; other headers go on."""

    async def scenario() -> None:
        async with serve(always(reply(200, b"there"))) as other:
            there = always(redirect(302, f"http://localhost:{other.origin.port}/x"))
            async with serve(there) as server, http.user() as user:
                user.session.set_header("Authorization", "Bearer user")
                headers = {"Proxy-Authorization": "p", "Cookie": "a=b", "X-A": "1"}
                got = await user.get(server.origin, headers=headers)

                first, second = server.requests[0].headers, other.requests[0].headers
                assert got.body == b"there"
                assert first["authorization"] == "Bearer user"
                assert second["x-a"] == "1"
                assert second["host"] == f"localhost:{other.origin.port}"
                assert {"authorization", "proxy-authorization", "cookie"} & second.keys() == set()

    http.run(scenario)


@pytest.mark.parametrize(
    ("first", "then", "is_kept"),
    [("http", "http", True), ("http", "https", True), ("https", "http", False)],
)
def test_credentials_on_the_same_host(
    http: HttpUnderTest, certificates: Certificates, first: str, then: str, *, is_kept: bool
) -> None:
    """They go to other ports and to TLS, and never from TLS to where anybody could read them."""
    tls = {"http": None, "https": certificates.server}
    headers = {"Authorization": "Bearer plan", "Cookie": "a=b"}

    async def scenario() -> None:
        async with serve(always(reply(200, b"there")), tls=tls[then]) as other:
            url = f"{then}://localhost:{other.origin.port}/x"
            async with (
                serve(always(redirect(302, url)), tls=tls[first]) as server,
                http.user(HttpSettings(ca=certificates.ca)) as user,
            ):
                origin = Origin(first, "localhost", server.origin.port)
                got = await user.get(origin, headers=headers)

                sent = other.requests[0].headers
                kept = ("Bearer plan", "a=b") if is_kept else (None, None)
                assert (got.failure, got.body) == (None, b"there")
                assert (sent.get("authorization"), sent.get("cookie")) == kept

    http.run(scenario)


def test_redirects_can_be_left_alone(http: HttpUnderTest) -> None:
    """With follow_redirects off the redirect is the reply."""
    got = answered(http, always(redirect(302, "/to")), follow_redirects=False)

    assert (got.failure, got.status, got.body) == (None, 302, b"moved")
    assert b"location: /to" in got.head.lower()


def test_redirect_loop_ends(http: HttpUnderTest) -> None:
    """After max_redirects the request fails, and says why."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, max_redirects=3)

        assert got.failure == FailureKind.PROTOCOL
        assert "redirects" in got.detail
        assert len(server.requests) == 4

    converse(http, always(redirect(302, "/")), scenario)


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/", "http://", "http://[::1/"])
def test_redirect_to_nowhere_fails(http: HttpUnderTest, location: str) -> None:
    """A Location that is no http URL is the server's fault."""
    got = answered(http, always(redirect(302, location)))

    assert got.failure == FailureKind.PROTOCOL


def test_redirect_without_location_is_a_reply(http: HttpUnderTest) -> None:
    """There is nowhere to go, so this is what the server had to say."""
    got = answered(http, always(reply(302, b"hm")))

    assert (got.failure, got.status, got.body) == (None, 302, b"hm")


# -- content codings -------------------------------------------------------------------------


RAW_DEFLATE = zlib.compressobj(wbits=-15)
CODED = {
    "gzip": gzip.compress(b"hello"),
    "x-gzip": gzip.compress(b"hel") + gzip.compress(b"lo"),
    "deflate": zlib.compress(b"hello"),
    "Deflate": RAW_DEFLATE.compress(b"hello") + RAW_DEFLATE.flush(),
    "identity": b"hello",
    "gzip, deflate": zlib.compress(gzip.compress(b"hello")),
    "br": brotli.compress(b"hello"),
    "zstd": zstandard.compress(b"hel") + zstandard.compress(b"lo"),
    "zstd, identity, BR": brotli.compress(zstandard.compress(b"hello")),
}


@pytest.mark.parametrize("coding", CODED)
def test_coded_body_is_decoded(http: HttpUnderTest, coding: str) -> None:
    """The body is what was meant; `received` is what came over the wire."""
    data = CODED[coding]

    got = answered(http, always(reply(200, data, ("Content-Encoding", coding))))

    assert (got.failure, got.body, got.received) == (None, b"hello", len(data))


def test_what_can_be_decoded_is_asked_for(http: HttpUnderTest) -> None:
    """And a header of the plan's takes the place of the default."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        await user.get(server.origin, headers={"Accept-Encoding": "gzip"})

        asked = [request.headers["accept-encoding"] for request in server.requests]
        assert asked == ["gzip, deflate, br, zstd", "gzip"]

    converse(http, always(reply(200)), scenario)


def test_unknown_coding_of_a_body_that_is_read_is_a_failure(http: HttpUnderTest) -> None:
    """No expectation could say what is wrong with it; where nothing reads it, nothing is."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        read = await user.get(server.origin)
        unread = await user.send(server.origin)

        assert (read.failure, read.status, read.body) == (FailureKind.PROTOCOL, 200, None)
        assert "`compress`" in read.detail
        assert (unread.failure, unread.received) == (None, 1)

    converse(http, always(reply(200, b"?", ("Content-Encoding", "compress"))), scenario)


@pytest.mark.parametrize("data", [b"no gzip at all", gzip.compress(b"hello" * 100, mtime=0)[:-12]])
def test_broken_coding_is_a_protocol_failure(http: HttpUnderTest, data: bytes) -> None:
    """A body that isn't what it claims to be is the server's fault."""
    got = answered(http, always(reply(200, data, ("Content-Encoding", "gzip"))))

    assert (got.failure, got.body, got.status) == (FailureKind.PROTOCOL, None, 200)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_bomb_is_bounded(http: HttpUnderTest, coding: str) -> None:
    """A small body that would unpack to a huge one fails before it is huge."""
    pack = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstandard.compress}[coding]

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin)

        assert (got.failure, got.body, got.status) == (FailureKind.TOO_LARGE, None, 200)

    respond = always(reply(200, pack(bytes(5_000_000)), ("Content-Encoding", coding)))
    converse(http, respond, scenario, HttpSettings(max_body=100_000))


def test_members_without_end_are_a_failure(http: HttpUnderTest) -> None:
    """Thousands of empty gzip files in a row would cost more than they say."""
    members = gzip.compress(b"", mtime=0) * 50_000

    got = answered(http, always(reply(200, members, ("Content-Encoding", "gzip"))))

    assert (got.failure, got.status) == (FailureKind.PROTOCOL, 200)
