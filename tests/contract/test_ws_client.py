"""What the WebSocket client does with a server of another make: the library `websockets`."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from planrunner.graph.run_graph import RequestNode
from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.operation import HttpSettings
from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_S
from tests.support.http_proxies import socks_proxy, tunnelling_proxy
from tests.support.http_servers import Certificates, Request, Wire, closed_port, reply, serve
from tests.support.plans import compiled
from tests.support.ws_users import run, talking_to, upgrade, ws_user


async def echo(server: ServerConnection) -> None:
    async for message in server:
        await server.send(message)


async def chat(server: ServerConnection) -> None:
    """Say welcome, and everything twice: to somebody else first."""
    await server.send(json.dumps({"type": "welcome", "id": "u7"}))
    async for message in server:
        said = json.loads(message)
        await server.send("not even JSON")
        await server.send(json.dumps({**said, "from": "another"}))
        await server.send(json.dumps(said))


@pytest.mark.parametrize("compress", [True, False])
def test_a_conversation(compress: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A message is found among others, which are counted; the time is that since the send."""

    async def scenario() -> None:
        options: dict[str, Any] = {"subprotocols": ["chat.v1"]}
        async with (
            talking_to(chat, **options) as port,
            ws_user(port, compress=compress, subprotocols=["chat.v2", "chat.v1"]) as user,
        ):
            opened = await user.connect("/chat?room=5", extract={"server": {"header": "Server"}})
            welcome = await user.receive(until="json.type == 'welcome'", extract={"me": "$.id"})
            sent = await user.step("send", json={"from": "${me}", "text": "Grüße"})
            got = await user.receive(until="json.from == me")
            closed = await user.step("close", reason="done")

        assert (opened.failure, opened.status, opened.connects) == (None, 101, 1)
        assert 0 < opened.connect_ns <= opened.ended_ns - opened.asked_ns
        assert (b"permessage-deflate" in opened.head) is compress
        assert b"Sec-WebSocket-Protocol: chat.v1" in opened.head
        assert "websockets" in user.scope["server"]
        assert (welcome.failure, welcome.unmatched, user.scope["me"]) == (None, 0, "u7")
        assert (got.failure, got.unmatched, got.body) == (
            None,
            2,
            b'{"from": "u7", "text": "Gr\\u00fc\\u00dfe"}',
        )
        assert got.asked_ns == got.sent_ns == sent.asked_ns < got.ended_ns
        assert got.sent == sent.sent > 0
        assert closed.failure is None

    run(scenario)


def test_large_binary_and_fragmented_messages() -> None:
    """What the server sends in pieces is one message, whatever it is made of."""

    async def pieces(server: ServerConnection) -> None:
        async for message in server:
            middle = len(message) // 2
            await server.send([message[:middle], message[middle:]])

    async def scenario() -> None:
        data = bytes(range(256)) * 2_048
        async with talking_to(pieces, max_size=None) as port, ws_user(port) as user:
            await user.connect()
            await user.step("send", base64="AAEC/w==")
            small = await user.receive()
            await user.say("é" * 300_000)
            large = await user.receive(count=1)
            await user.say(data.hex())
            packed = await user.receive()

        assert small.body == b"\x00\x01\x02\xff"
        assert large.body == ("é" * 300_000).encode()
        assert packed.body == data.hex().encode()
        assert packed.received == len(data) * 2

    run(scenario)


def test_a_message_that_came_before_it_was_asked_for() -> None:
    """Its sample ends when it came, and not when the user looked."""

    async def scenario() -> None:
        async with talking_to(echo) as port, ws_user(port) as user:
            await user.connect()
            sent = await user.say("early")
            await user.until_queued(1)
            looked_ns = user.client.shared.now_ns()
            early = await user.receive()
            await user.say("one")
            await user.say("two")
            await user.until_queued(2)
            one, two = await user.receive(), await user.receive()

        assert sent.asked_ns == early.asked_ns < early.ended_ns < looked_ns
        assert [one.body, two.body] == [b"one", b"two"]
        assert one.asked_ns < one.ended_ns
        assert two.asked_ns == two.ended_ns  # nothing is unanswered, and it was there already

    run(scenario)


def test_several_messages_are_one_sample() -> None:
    """With `count`, it ends with the last of them."""

    async def scenario() -> None:
        async with talking_to(echo) as port, ws_user(port) as user:
            await user.connect()
            for text in ("a", "b", "x", "c"):
                sent = await user.say(text)
            got = await user.receive(until="body != 'x'", count=3)

        assert (got.body, got.received, got.unmatched) == (b"c", 3, 1)
        assert got.asked_ns == sent.asked_ns

    run(scenario)


def test_a_timeout_says_what_came_instead() -> None:
    """And leaves `json` and `body` as they were."""

    async def scenario() -> None:
        async with talking_to(echo) as port, ws_user(port) as user:
            user.scope["json"] = "before"
            await user.connect()
            await user.say("{}")
            got = await user.receive(until="json.a.b == 1", timeout="50ms")

        assert (got.failure, got.unmatched) == (FailureKind.TIMEOUT, 1)
        assert got.detail.startswith("no message that fits came within the timeout, but 1 other; ")
        assert (got.body, got.beside) == (None, b"{}")
        assert user.scope["json"] == "before"

    run(scenario)


def test_steps_after_a_failed_connect_are_not_sent() -> None:
    """They fail as `connect` and end the iteration, and so after an end that was told already."""

    async def scenario() -> None:
        async with ws_user(closed_port()) as user:
            opened = await user.connect()
            after = [await user.receive(), await user.say("x"), await user.step("close")]
            nothing = await user.receive(on="other")

        assert (opened.failure, opened.ends_iteration) == (FailureKind.CONNECT, False)
        assert [(one.failure, one.ends_iteration) for one in after] == [
            (FailureKind.CONNECT, True)
        ] * 3
        assert nothing.detail == "there is no connection `other` that is open"

    run(scenario)


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        (1000, FailureKind.RESET, 1000),
        (1001, FailureKind.RESET, 1001),
        (1011, FailureKind.PROTOCOL, 1011),
        (4001, FailureKind.PROTOCOL, 4001),
        (0, FailureKind.RESET, 1006),
    ],
)
def test_how_the_server_ends_it(code: int, kind: FailureKind, status: int) -> None:
    """The close code is the status; a connection that ends without one has 1006."""

    async def ending(server: ServerConnection) -> None:
        await server.recv()
        if code:
            await server.close(code, "enough")
        else:
            server.transport.abort()

    async def scenario() -> None:
        async with talking_to(ending) as port, ws_user(port) as user:
            await user.connect()
            await user.say("x")
            got, after = await user.receive(), await user.say("y")

        assert (got.failure, got.status, got.ends_iteration) == (kind, status, False)
        assert ("enough" in got.detail) is bool(code)
        assert (after.failure, after.ends_iteration) == (FailureKind.CONNECT, True)

    run(scenario)


def test_connections_end_with_the_iteration_unless_they_are_kept() -> None:
    """And all of them with the user; none is left, on neither side."""
    made: weakref.WeakSet[Any] = weakref.WeakSet()
    codes = []

    async def noting(server: ServerConnection) -> None:
        await server.wait_closed()
        codes.append(server.close_code)

    async def scenario() -> None:
        async with talking_to(noting) as port, ws_user(port) as user:
            await user.connect(on="kept", keep="user")
            for _ in range(15):
                await user.connect(on="own")
                made.update(user.session.connections.values())
                await user.session.end_iteration()
            assert list(user.session.connections) == ["kept"]
            while len(codes) < 15:
                await user.receive(on="kept", timeout="10ms")
        assert user.client.shared.sessions == set()
        assert user.client.shared.closing == {}

    run(scenario)
    gc.collect()

    assert codes.count(1000) == 16
    assert len(made) == 0


def test_the_user_is_who_its_http_says() -> None:
    """Cookies, headers that were set, and credentials go with the handshake; cookies come of it."""
    seen: list[Any] = []

    async def noting(server: ServerConnection) -> None:
        assert server.request is not None
        seen.append(server.request)

    def respond(server: ServerConnection, request: object, response: Any) -> Any:
        response.headers["Set-Cookie"] = "seat=12"
        return response

    async def scenario() -> None:
        async with (
            talking_to(noting, process_response=respond) as port,
            ws_user(port, headers={"Origin": "https://shop.test"}) as user,
        ):
            user.http.set_header("X-Team", "core")
            user.http.identity.store(
                ("a=b",), Origin("http", "127.0.0.1", port), b"GET / HTTP/1.1\r\n"
            )
            await user.connect("/x;v=1?q=ä", headers={"X-Room": "5"})
            await user.connect(f"ws://me:secret@127.0.0.1:{port}/y")

    run(scenario)
    first, second = seen

    assert first.path == "/x;v=1?q=%C3%A4"
    assert {name: first.headers[name] for name in ("X-Team", "X-Room", "Origin", "Cookie")} == {
        "X-Team": "core",
        "X-Room": "5",
        "Origin": "https://shop.test",
        "Cookie": "a=b",
    }
    assert second.headers["Authorization"].startswith("Basic ")
    assert second.headers["Cookie"] in ("a=b; seat=12", "seat=12; a=b")


def test_tls_and_proxies(certificates: Certificates) -> None:
    """Both as `http:` says; a proxy makes a tunnel, with TLS and without."""

    async def scenario() -> None:
        async with (
            talking_to(echo, ssl=certificates.server) as secure,
            talking_to(echo) as plain,
            tunnelling_proxy() as proxy,
        ):
            http = HttpSettings(ca=certificates.ca, proxy=proxy.url)
            async with ws_user(plain, http=http) as user:
                opened = [await user.connect(), await user.connect(f"wss://localhost:{secure}/")]
                await user.say("through")
                got = await user.receive()
            async with ws_user(plain) as user:
                refused = await user.connect(f"wss://localhost:{secure}/")

        assert [one.failure for one in opened] == [None, None]
        assert got.body == b"through"
        assert refused.failure is FailureKind.TLS
        assert "certificate refused" in refused.detail

    run(scenario)


def test_proxies_that_http_needs_httpx_for(certificates: Certificates) -> None:
    """SOCKS, and TLS to the proxy itself: over both, with TLS inside and without."""

    async def scenario() -> None:
        async with (
            talking_to(echo, ssl=certificates.server) as secure,
            talking_to(echo) as plain,
            tunnelling_proxy(tls=certificates.server) as tunnel,
            socks_proxy() as socks,
            socks_proxy(answer=2) as closed,
            tunnelling_proxy(b"HTTP/1.1 403 No\r\n\r\n", tls=certificates.server) as refusing,
        ):
            for proxy in (tunnel, socks):
                http = HttpSettings(ca=certificates.ca, proxy=proxy.url)
                for url in (f"wss://localhost:{secure}/", f"ws://localhost:{plain}/"):
                    async with ws_user(plain, http=http) as user:
                        opened = await user.connect(url)
                        assert (opened.failure, opened.connects) == (None, 1), opened.detail
                        await user.say("through")
                        assert (await user.receive()).body == b"through"
            assert socks.heads == [f"localhost:{secure}", f"localhost:{plain}"]
            for proxy in (refusing, closed):
                http = HttpSettings(ca=certificates.ca, proxy=proxy.url)
                async with ws_user(plain, http=http) as user:
                    refused = await user.connect()
                    assert refused.failure is FailureKind.CONNECT
                    assert refused.detail.startswith("the proxy `")
            async with ws_user(plain, http=HttpSettings(proxy=tunnel.url)) as user:
                assert (await user.connect()).failure is FailureKind.TLS

    run(scenario)


def test_pings() -> None:
    """Those of the server are answered; it has to answer each of ours before the next."""

    async def pinging(server: ServerConnection) -> None:
        await (await server.ping())
        await server.send("answered")
        await server.recv()

    async def scenario() -> None:
        async with talking_to(pinging) as port, ws_user(port, ping="10s") as user:
            await user.connect()
            got = await user.receive()
            (connection,) = user.session.connections.values()
            now_ns = user.client.shared.now_ns()
            user.client.sweep(now_ns + 11 * NS_PER_S)
            assert connection.pinged_ns
            while connection.pinged_ns:  # until its pong has come
                await user.receive(timeout="5ms")
            user.client.sweep(now_ns + 22 * NS_PER_S)
            user.client.sweep(now_ns + 33 * NS_PER_S)  # no turn of the loop for a pong
            lost = await user.receive()

        assert got.body == b"answered"
        assert (lost.failure, lost.detail) == (
            FailureKind.RESET,
            "the server did not answer a ping",
        )

    run(scenario)


AUTHS = [
    ("digest: {username: ada, password: lovelace}", "Digest "),
    ("oauth2: {token_url: /token, client_id: id, client_secret: key}", "Bearer granted"),
    (
        "sigv4: {access_key: id, secret_key: key, region: eu-west-1, service: s3}",
        "AWS4-HMAC-SHA256 ",
    ),
    ("api_key: {header: Authorization, value: key}", "key"),
]


@pytest.mark.parametrize(("auth", "sent"), AUTHS, ids=lambda one: one.partition(":")[0])
def test_credentials_of_the_plan(auth: str, sent: str) -> None:
    """Each scheme of `http.auth` makes a handshake what it makes any request."""
    seen = []

    async def respond(request: Request, wire: Wire) -> None:
        if request.target == "/token":
            await wire.send(reply(200, b'{"access_token": "granted"}'))
            return
        seen.append(request.headers.get("authorization", ""))
        if not seen[-1] and "digest" in auth:
            challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'
            await wire.send(reply(401, b"", ("WWW-Authenticate", challenge)))
            return
        await wire.send(upgrade(request))
        await wire.hang()

    async def scenario() -> None:
        async with serve(respond) as server:
            graph = compiled(
                f'http: {{base_url: "{server.url}", auth: {{{auth}}}}}',
                "users: {A: {steps: [{ws.connect: /live}]}}",
            )
            (step,) = graph.users[0].tasks[0].steps
            assert isinstance(step, RequestNode)
            async with ws_user(server.origin.port) as user:
                got = await user.do(step.exchange)

            assert (got.failure, got.status) == (None, 101)
            assert seen[-1].startswith(sent)

    run(scenario)
