"""How every HTTP client answers Digest challenges: in one sample, and unasked the next time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.operation import (
    DigestCredentials,
    HttpSettings,
    Retry,
    StaticBody,
    StreamBody,
)
from tests.support.digest_server import DigestServer
from tests.support.http_servers import HttpServer, Request, Wire, always, reply, serve
from tests.support.http_users import HttpUnderTest, TestUser, converse

ADA = DigestCredentials(lambda _: "ada", lambda _: "love lace")
USERS = {"ada": "love lace"}


def talk(
    http: HttpUnderTest,
    asking: DigestServer,
    scenario: Callable[[TestUser, HttpServer], Awaitable[None]],
) -> None:
    converse(http, asking.respond, scenario)


def test_the_first_request_is_challenged_and_the_next_is_not(http: HttpUnderTest) -> None:
    """One sample with one retry; then each answer goes at once, with the next count."""
    asking = DigestServer(USERS)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin, f"/{n}?x=a b", signature=ADA) for n in range(3)]

        assert [(each.failure, each.status, each.retries) for each in got] == [
            (None, 200, 1),
            (None, 200, 0),
            (None, 200, 0),
        ]
        sent = sum(len(request.raw) for request in server.requests[:2])
        assert http.sent(sent) in (got[0].sent, None)
        assert got[0].connects == 1
        assert server.connections == 1

    talk(http, asking, scenario)
    assert asking.seen == ["bare", "ok", "ok", "ok"]
    assert [answer["nc"] for answer in asking.answers] == ["00000001", "00000002", "00000003"]


@pytest.mark.parametrize("qop", ["auth", "auth-int", "auth-int,auth", ""])
@pytest.mark.parametrize("suffix", ["", "-sess"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
def test_algorithms(http: HttpUnderTest, algorithm: str, suffix: str, qop: str) -> None:
    """All of RFC 7616, and servers that are older than `qop`."""
    if suffix and not qop:
        pytest.skip("a session takes a cnonce, which there is none of without qop")
    asking = DigestServer(USERS, challenges=(algorithm + suffix,), qop=qop)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for _ in range(2):
            got = await user.get(
                server.origin, method="POST", body=StaticBody(b"a=b\r\n\r\nc"), signature=ADA
            )
            assert got.status == 200

    talk(http, asking, scenario)
    assert asking.seen == ["bare", "ok", "ok"]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("Basic", "MD5", "SHA-256"), "SHA-256"),
        (("SHA-256", "MD5"), "SHA-256"),
        (("MD5", "SHA-512-256", "SHA-256-sess", "Basic"), "SHA-512-256"),
        (("X-OTHER", "MD5"), "MD5"),
        (("",), None),
    ],
)
def test_the_strongest_challenge_is_answered(
    http: HttpUnderTest, offered: tuple[str, ...], chosen: str | None
) -> None:
    """Wherever it stands; never Basic, which would give the password away."""
    asking = DigestServer(USERS, challenges=offered)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        assert (await user.get(server.origin, signature=ADA)).status == 200

    talk(http, asking, scenario)
    assert [answer.get("algorithm") for answer in asking.answers] == [chosen]


@pytest.mark.parametrize("says_stale", [True, False])
def test_a_nonce_that_has_gone_stale_is_replaced(http: HttpUnderTest, *, says_stale: bool) -> None:
    """Within the same sample, also when the server forgets to say that it is only stale."""
    asking = DigestServer(USERS, uses=2, says_stale=says_stale)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin, signature=ADA) for _ in range(4)]
        assert [(each.status, each.retries) for each in got] == [(200, n) for n in (1, 0, 1, 0)]

    talk(http, asking, scenario)
    assert asking.seen == ["bare", "ok", "ok", "stale", "ok", "ok"]


def test_a_server_whose_nonces_are_always_stale(http: HttpUnderTest) -> None:
    """Is not asked for ever: the 401 is the reply."""
    asking = DigestServer(USERS, uses=0)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, signature=ADA)
        assert (got.failure, got.status, got.retries) == (None, 401, 3)

    talk(http, asking, scenario)


def test_the_next_nonce_is_taken(http: HttpUnderTest) -> None:
    """A server that hands one over with each reply never has to refuse."""
    asking = DigestServer(USERS, uses=1, next_nonce=True)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for _ in range(3):
            assert (await user.get(server.origin, signature=ADA)).status == 200

    talk(http, asking, scenario)
    assert asking.seen == ["bare", "ok", "ok", "ok"]


def test_a_wrong_password_is_tried_once(http: HttpUnderTest) -> None:
    """The 401 is the reply, and the next request begins anew."""
    asking = DigestServer({"ada": "another"})

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for _ in range(2):
            got = await user.get(server.origin, signature=ADA)
            assert (got.failure, got.status, got.retries) == (None, 401, 1)

    talk(http, asking, scenario)
    assert asking.seen == ["bare", "response", "bare", "response"]


def test_no_digest_on_offer(http: HttpUnderTest) -> None:
    """The 401 is the reply; Basic is not sent instead."""
    asking = DigestServer(USERS, challenges=("Basic",))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, signature=ADA)
        assert (got.failure, got.status, got.retries) == (None, 401, 0)

    talk(http, asking, scenario)
    assert asking.seen == ["bare"]


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        ('Digest realm="r"', "it has no `nonce`"),
        ('Digest nonce="n"', "it has no `realm`"),
        ('Digest realm="r", nonce="n", algorithm=SHA-3', "it asks for the algorithm `SHA-3`"),
        ('Digest realm="r", nonce="n", qop="auth-conf"', "it asks for `qop=auth-conf`"),
    ],
)
def test_a_challenge_that_cannot_be_answered(
    http: HttpUnderTest, challenge: str, words: str
) -> None:
    """Is a failure that says why; the status is kept."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, signature=ADA)
        assert (got.failure, got.status) == (FailureKind.PROTOCOL, 401)
        assert words in got.detail

    converse(http, always(reply(401, b"no", ("WWW-Authenticate", challenge))), scenario)


def test_a_streamed_body_is_not_digested(http: HttpUnderTest, tmp_path: Path) -> None:
    """`auth` doesn't cover it and is fine, `auth-int` would take all of it beforehand."""
    file = tmp_path / "a file"
    file.write_bytes(b"x" * 300_000)
    body = StreamBody((b"<", file, b">"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, method="POST", body=body, signature=ADA)
        if asking.qop == "auth":
            assert (got.failure, got.status, got.retries) == (None, 200, 1)
            assert [len(request.body) for request in server.requests] == [300_002] * 2
        else:
            assert got.failure == FailureKind.PROTOCOL
            assert "`qop=auth-int`" in got.detail

    for qop in ("auth", "auth-int"):
        asking = DigestServer(USERS, qop=qop)
        talk(http, asking, scenario)


@pytest.mark.parametrize(("userhash", "charset"), [(True, "UTF-8"), (False, "UTF-8"), (False, "")])
def test_names_beyond_ascii(http: HttpUnderTest, *, userhash: bool, charset: str) -> None:
    """Hashed, as `username*`, or as plain UTF-8, as the server wishes."""
    asking = DigestServer({"Jäsøn Doe": "pä"}, userhash=userhash, charset=charset)
    jason = DigestCredentials(lambda _: "Jäsøn Doe", lambda _: "pä")

    async def scenario(user: TestUser, server: HttpServer) -> None:
        assert (await user.get(server.origin, signature=jason)).status == 200

    talk(http, asking, scenario)


def test_only_the_hop_that_is_challenged_is_sent_again(http: HttpUnderTest) -> None:
    """A POST that redirects to what takes a login is not sent twice."""
    asking = DigestServer(USERS, public=("/form",))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, "/form", method="POST", signature=ADA)
        assert (got.status, got.retries) == (200, 1)
        sent = [(request.method, request.target) for request in server.requests]
        assert sent == [("POST", "/form"), ("GET", "/secret"), ("GET", "/secret")]

    talk(http, asking, scenario)
    assert asking.seen == ["bare", "ok"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_another_origin_gets_no_answer(http: HttpUnderTest, host: str) -> None:
    """Neither unasked nor asked: a redirect to another port or host goes on without."""
    asking, other_asks = DigestServer(USERS), DigestServer(USERS)

    async def scenario() -> None:
        async with serve(other_asks.respond) as other:

            async def respond(request: Request, wire: Wire) -> None:
                if "authorization" in request.headers and request.target == "/away":
                    url = f"http://{host}:{other.origin.port}/there"
                    await wire.send(reply(302, b"", ("Location", url)))
                else:
                    await asking.respond(request, wire)

            async with serve(respond) as server, http.user() as user:
                got = await user.get(server.origin, "/away", signature=ADA)
                assert (got.status, got.retries) == (401, 1)

    http.run(scenario)
    assert other_asks.seen == ["bare"]


def test_users_and_visitors_have_their_own_counts(http: HttpUnderTest) -> None:
    """Another user, and the next visitor of the same one, are challenged again."""
    asking = DigestServer(USERS)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin, signature=ADA)
        other = TestUser(user.client, user.client.session(), {})
        await other.get(server.origin, signature=ADA)
        await other.session.close()
        user.session.renew()
        await user.get(server.origin, signature=ADA)

    talk(http, asking, scenario)
    assert asking.seen == ["bare", "ok"] * 3
    assert {answer["nc"] for answer in asking.answers} == {"00000001"}


def test_credentials_that_change_with_each_request_are_not_kept_for_ever(
    http: HttpUnderTest,
) -> None:
    """The challenge of the least recent ones is forgotten."""
    names = [f"user{number}" for number in range(65)]
    asking = DigestServer(dict.fromkeys(names, "p"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for name in (*names, names[-1], names[0]):
            signature = DigestCredentials(lambda _, name=name: name, lambda _: "p")
            assert (await user.get(server.origin, signature=signature)).status == 200

    talk(http, asking, scenario)
    assert asking.seen == ["bare", "ok"] * 65 + ["ok", "bare", "ok"]


def test_lanes_count_together(http: HttpUnderTest) -> None:
    """Requests side by side use one nonce, each with a count of its own."""
    asking = DigestServer(USERS)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin, signature=ADA)
        for session in user.session.lanes(3):
            await TestUser(user.client, session, {}).get(server.origin, signature=ADA)

    talk(http, asking, scenario)
    assert asking.seen == ["bare", "ok", "ok", "ok", "ok"]


def test_what_a_user_sets_itself_is_sent_instead(http: HttpUnderTest) -> None:
    """A `header` step takes the place of the plan's credentials, and null takes them away."""
    asking = DigestServer(USERS)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.session.set_header("Authorization", "Own thing")
        await user.get(server.origin, signature=ADA)
        user.session.set_header("Authorization", None)
        await user.get(server.origin, signature=ADA)
        names = frozenset({"authorization"})
        await user.get(server.origin, signature=ADA, own_names=names)

    talk(http, asking, scenario)
    assert asking.seen == ["not Digest but Own", "bare", "bare", "ok"]


def test_a_retry_answers_too(http: HttpUnderTest) -> None:
    """Both counts go into one sample."""
    asking = DigestServer(USERS)
    busy = [reply(503), None]

    async def respond(request: Request, wire: Wire) -> None:
        data = busy.pop(0) if busy else None
        await (asking.respond(request, wire) if data is None else wire.send(data))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        retry = Retry(1, 0, frozenset(), range(500, 600))
        got = await user.get(server.origin, signature=ADA, retry=retry)
        assert (got.status, got.retries) == (200, 2)

    converse(http, respond, scenario)


def test_the_challenge_may_close_the_connection_and_set_a_cookie(http: HttpUnderTest) -> None:
    """The answer goes on a new one, with the cookie."""

    async def respond(request: Request, wire: Wire) -> None:
        if "authorization" in request.headers:
            await wire.send(reply(200, request.headers.get("cookie", "").encode()))
            return
        challenge = 'Digest realm="r", nonce="n", qop="auth"'
        fields = ("WWW-Authenticate", challenge), ("Set-Cookie", "a=1"), ("Connection", "close")
        await wire.send(reply(401, b"who?", *fields))
        await wire.close()

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, signature=ADA)
        assert (got.failure, got.status, got.body, got.connects) == (None, 200, b"a=1", 2)

    converse(http, respond, scenario)


@pytest.mark.http1
def test_through_a_proxy(http: HttpUnderTest) -> None:
    """What is signed is the path, as the server will see it."""

    async def respond(request: Request, wire: Wire) -> None:
        origin_form = Request(
            request.method, "/x", request.headers, request.raw, request.body, request.connection
        )
        await asking.respond(origin_form, wire)

    asking = DigestServer(USERS)

    async def scenario() -> None:
        async with serve(respond) as proxy, http.user(HttpSettings(proxy=proxy.url)) as user:
            assert (await user.get(proxy.origin, "/x", signature=ADA)).status == 200

    http.run(scenario)
    assert asking.seen == ["bare", "ok"]
