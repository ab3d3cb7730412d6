"""Servers that break the protocol, or nearly: the right failure, no wrong sample, no growth."""

from __future__ import annotations

import zlib

import pytest

from planrunner.protocols.base import FailureKind
from tests.support.http_servers import Request, Wire, serve
from tests.support.ws_users import accept, frame, hostile, run, upgrade, ws_user

TEXT, MORE, PING, CLOSE = 0x81, 0x80, 0x89, 0x88
PROTOCOL, RESET, TOO_LARGE = FailureKind.PROTOCOL, FailureKind.RESET, FailureKind.TOO_LARGE
DEFLATE = (b"Sec-WebSocket-Extensions: permessage-deflate",)


def packed(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"\x81\x81abcdX", PROTOCOL, "masked"),
        (frame(0xC1, b"x"), PROTOCOL, "reserved bits"),
        (frame(0xA1, b"x"), PROTOCOL, "reserved bits"),
        (frame(0x91, b"x"), PROTOCOL, "reserved bits"),
        (frame(0x83, b"x"), PROTOCOL, "opcode"),
        (frame(0x8B, b"x"), PROTOCOL, "opcode"),
        (frame(TEXT, size=2 << 30), TOO_LARGE, "max_size"),
        (frame(0x82, size=1 << 62), TOO_LARGE, "max_size"),
        (frame(TEXT, size=1 << 63), PROTOCOL, "length"),
        (b"\x81\x7e\x00\x05hello", PROTOCOL, "len"),
        (frame(TEXT, b"\xff\xfe"), PROTOCOL, "UTF-8"),
        (frame(0x01, b"\xc3") + frame(MORE, b"\x28"), PROTOCOL, "UTF-8"),
        (frame(MORE, b"x"), PROTOCOL, "continues no message"),
        (frame(0x01, b"x") + frame(TEXT, b"y"), PROTOCOL, "inside another"),
        (frame(0x09, b"x"), PROTOCOL, "fragmented control"),
        (frame(PING, b"x" * 126), PROTOCOL, "125"),
        (frame(CLOSE, b"\x03"), PROTOCOL, "close code"),
        (frame(CLOSE, b"\x03\xedx"), PROTOCOL, "close code"),
        (frame(CLOSE, b"\x03\xe8\xff"), PROTOCOL, "UTF-8"),
        (frame(0x01, b"half") + frame(CLOSE, b"\x03\xe8"), RESET, "1000"),
        (frame(CLOSE), RESET, "1005"),
        (frame(CLOSE, b"\x03\xe9") + frame(TEXT, b"late"), RESET, "1001"),
        (frame(0x01, b"x" * 60_000) + frame(0x00, b"x" * 60_000), TOO_LARGE, "max_size"),
    ],
)
def test_broken_frames(data: bytes, kind: FailureKind, words: str) -> None:
    """Each is told for what it is, by the step that waits; nothing of it is a message."""

    async def scenario() -> None:
        async with hostile(data) as server, ws_user(server.origin.port, max_size="100KB") as user:
            await user.connect()
            got = await user.receive()

            assert (got.failure, got.body) == (kind, None)
            assert words.lower() in got.detail.lower()

    run(scenario)


def test_a_connection_that_ends_inside_a_frame() -> None:
    """It is cut short: 1006."""

    async def scenario() -> None:
        cut = frame(TEXT, b"begin", size=500)
        async with hostile(cut, closes=True) as server, ws_user(server.origin.port) as user:
            await user.connect()
            got = await user.receive()

            assert (got.failure, got.status) == (RESET, 1006)

    run(scenario)


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (frame(0xC1, b"\x07\x07\x07"), PROTOCOL, "not compressed as agreed"),
        (frame(0xC1, packed(b"x" * 10_000_000)), TOO_LARGE, "decompressed"),
        (frame(0x41, packed(b"a")) + frame(0xC0, b""), PROTOCOL, "reserved bits"),
        (frame(0xC9, b""), PROTOCOL, "reserved bits"),
        (frame(0xC1, packed(b"\xff")), PROTOCOL, "UTF-8"),
    ],
)
def test_broken_compression(data: bytes, kind: FailureKind, words: str) -> None:
    """A message that grows beyond the limit is never made."""

    async def scenario() -> None:
        async with (
            hostile(data, lines=DEFLATE) as server,
            ws_user(server.origin.port, max_size="1MB") as user,
        ):
            await user.connect()
            got = await user.receive()

            assert got.failure is kind
            assert words in got.detail

    run(scenario)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((b"Sec-WebSocket-Extensions: x-webkit-deflate-frame",), "not offered"),
        ((b"Sec-WebSocket-Extensions: permessage-deflate; window=5",), "not offered"),
        ((b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=7",), "offered"),
        ((b"Sec-WebSocket-Protocol: mqtt",), "not offered"),
        ((b"Transfer-Encoding: chunked",), "Transfer-Encoding"),
    ],
)
def test_a_handshake_that_agrees_to_what_was_not_offered(
    lines: tuple[bytes, ...], words: str
) -> None:
    """There is no connection then."""

    async def scenario() -> None:
        async with hostile(lines=lines) as server, ws_user(server.origin.port) as user:
            got, after = await user.connect(), await user.receive()

            assert got.failure is PROTOCOL
            assert words in got.detail
            assert (after.failure, after.ends_iteration) == (FailureKind.CONNECT, True)

    run(scenario)


@pytest.mark.parametrize(
    ("answer", "kind", "status", "words"),
    [
        (b"nonsense\r\n\r\n", PROTOCOL, 0, "not a handshake"),
        (b"SSH-2.0-OpenSSH\r\n", RESET, 0, "before it answered"),
        (b"", RESET, 0, "before it answered"),
        (b"x" * 70_000, PROTOCOL, 0, "max_size"),
        (
            b"HTTP/1.1 101 Fine\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
            PROTOCOL,
            0,
            "upgrade",
        ),
        (b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nstop", None, 403, ""),
        (b"HTTP/1.1 302 There\r\nLocation: /other\r\n\r\n", None, 302, ""),
        (b"HTTP/1.1 599 Odd\r\n\r\n", None, 599, ""),
    ],
)
def test_answers_that_are_no_handshake(
    answer: bytes,
    kind: FailureKind | None,
    status: int,
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Another status is a reply, which a plan may expect; nonsense is a failure, and no more."""

    async def respond(_: Request, wire: Wire) -> None:
        await wire.send(answer)
        await wire.close()

    async def scenario() -> None:
        async with serve(respond) as server, ws_user(server.origin.port) as user:
            got = await user.connect()

            assert (got.failure, got.status) == (kind, status)
            assert words in got.detail

    run(scenario)
    assert not caplog.records


@pytest.mark.parametrize("option", [b"keep-alive, Upgrade", b"keep-alive\r\nconnection:\tUPGRADE"])
def test_a_connection_that_is_also_kept_alive(option: bytes) -> None:
    """Legal, however it is written, in how many packets it comes, and what comes with it."""

    async def respond(request: Request, wire: Wire) -> None:
        answer = upgrade(request).replace(b"Connection: Upgrade", b"Connection: " + option)
        for piece in (answer[:20], answer[20:-3], answer[-3:] + frame(TEXT, b"hello")):
            await wire.send(piece)
        await wire.hang()

    async def scenario() -> None:
        async with serve(respond) as server, ws_user(server.origin.port) as user:
            opened = await user.connect()

            assert opened.failure is None, opened.detail
            assert option in opened.head
            assert (await user.receive()).body == b"hello"

    run(scenario)


def test_a_wrong_accept() -> None:
    """Whoever answers did not read the request."""

    async def respond(request: Request, wire: Wire) -> None:
        await wire.send(upgrade(request).replace(accept(request), b"AAAAAAAAAAAAAAAAAAAAAAAAAAA="))
        await wire.hang()

    async def scenario() -> None:
        async with serve(respond) as server, ws_user(server.origin.port) as user:
            got = await user.connect()

            assert got.failure is PROTOCOL
            assert "sec-websocket-accept" in got.detail

    run(scenario)


def test_a_thousand_pings() -> None:
    """They are answered, and neither count as messages nor hold any up."""

    async def scenario() -> None:
        pings = frame(PING, b"?") * 1_000
        async with (
            hostile(pings, frame(TEXT, b"then")) as server,
            ws_user(server.origin.port) as user,
        ):
            await user.connect()
            got = await user.receive()

            assert (got.failure, got.body, got.unmatched) == (None, b"then", 0)

    run(scenario)


@pytest.mark.parametrize(
    ("keys", "message", "words"),
    [
        ({"max_queue": 10}, b"x", "more than 10 messages wait"),
        ({"max_size": "1KB"}, b"x" * 300, "more than 1000 bytes"),
    ],
)
def test_messages_that_nobody_reads(keys: dict[str, object], message: bytes, words: str) -> None:
    """They wait up to a limit; those that did are still there, and then the failure is."""

    async def scenario() -> None:
        async with (
            hostile(frame(TEXT, message) * 100) as server,
            ws_user(server.origin.port, **keys) as user,
        ):
            await user.connect()
            await user.until_queued(100)
            got = await user.receive()
            while got.failure is None:
                got = await user.receive()

            assert got.failure is TOO_LARGE
            assert words in got.detail

    run(scenario)


def test_a_server_that_does_not_hang_up() -> None:
    """It is waited for by `ws.close`, and not beyond its timeout; then there is none any more."""

    async def scenario() -> None:
        async with hostile() as server, ws_user(server.origin.port) as user:
            await user.connect(on="first")
            closed = await user.step("close", timeout="30ms")
            await user.connect(on="second")
            sent = await user.say("to the only one")

            assert (closed.failure, closed.ends_iteration) == (FailureKind.TIMEOUT, True)
            assert sent.failure is None

    run(scenario)


def test_a_server_that_does_not_read() -> None:
    """A message that finds no room is waited for, up to the timeout; nothing piles up."""

    async def deaf(request: Request, wire: Wire) -> None:
        await wire.send(upgrade(request))
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await wire.writer.wait_closed()

    async def scenario() -> None:
        async with serve(deaf) as server, ws_user(server.origin.port, compress=False) as user:
            await user.connect()
            sent = [await user.say("x" * 1_000_000, timeout="30ms") for _ in range(3)]
            while sent[-1].failure is None:
                sent.append(await user.say("x" * 1_000_000, timeout="30ms"))

            assert (sent[-1].failure, sent[-1].ends_iteration) == (FailureKind.TIMEOUT, True)
            assert len(sent) < 50

    run(scenario)
