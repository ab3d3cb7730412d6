"""What every HTTP client does with bodies that are files, and with its connections."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path

import pytest

from planrunner.language.expressions.expression import EvaluationError
from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.operation import FileBody, HttpSettings, StreamBody
from tests.support.http_servers import HttpServer, Request, Wire, always, reply, serve_raw
from tests.support.http_users import HttpUnderTest, TestUser, converse, exchange

MIB = 1024 * 1024


def test_a_body_with_a_file_in_it(http: HttpUnderTest, tmp_path: Path) -> None:
    """Pieces go out in order; Content-Length is known before the first byte."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"jpeg")

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.scope["name"] = "ada"
        body = StreamBody((b"<", lambda scope: str(scope["name"]).encode(), file, b">"), "x/y")
        got = await user.get(server.origin, method="POST", body=body)

        sent = server.requests[0]
        assert sent.body == b"<adajpeg>"
        assert (sent.headers["content-length"], sent.headers["content-type"]) == ("9", "x/y")
        assert "transfer-encoding" not in sent.headers
        assert got.failure is None
        assert http.sent(len(sent.raw) + 9) in (got.sent, None)

    converse(http, always(reply()), scenario)


def test_a_missing_file_sends_nothing(http: HttpUnderTest, tmp_path: Path) -> None:
    """It is an expression without a value, before a byte is written."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        with pytest.raises(EvaluationError):
            await user.get(server.origin, method="POST", body=StreamBody((tmp_path / "none",)))

        assert server.requests == []

    converse(http, always(reply()), scenario)


@pytest.mark.http1
@pytest.mark.slow
def test_large_files_cost_no_memory(http: HttpUnderTest, tmp_path: Path) -> None:
    """64 MiB go out through a few pieces, as a part and as a whole body."""
    file = tmp_path / "large.bin"
    with file.open("wb") as out:
        out.truncate(64 * MIB)
    size = 0

    async def converse_lean(wire: Wire, _: int) -> None:
        nonlocal size
        for _ in range(2):
            head = await wire.reader.readuntil(b"\r\n\r\n")
            left = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            while left:
                got = len(await wire.reader.read(min(left, 65536)))
                left, size = left - got, size + got
            await wire.send(reply())

    async def scenario() -> None:
        async with serve_raw(converse_lean) as server, http.user() as user:
            tracemalloc.start()
            for body in (StreamBody((b"-", file)), FileBody(file)):
                got = await user.get(server.origin, method="PUT", body=body, timeout_s=30)
                assert (got.failure, got.status) == (None, 200)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 8 * MIB

    http.run(scenario)
    assert size == 2 * 64 * MIB + 1


@pytest.mark.http1
def test_a_file_that_shrinks_is_a_failure(http: HttpUnderTest, tmp_path: Path) -> None:
    """What Content-Length promised can't be kept: the connection is of no more use."""
    file = tmp_path / "log.txt"
    file.write_bytes(b"0123456789")

    async def scenario(user: TestUser, server: HttpServer) -> None:
        body = StreamBody((file,))
        bound = user.client.bind(exchange(server.origin, method="POST", body=body))
        outbound = bound.prepare({})
        file.write_bytes(b"01234")
        got = await user.session.exchange(bound, outbound)  # type: ignore[attr-defined]

        assert got.failure is FailureKind.PROTOCOL
        assert "log.txt" in got.detail
        again = await user.get(server.origin)
        assert (again.failure, again.connects) == (None, 1)

    converse(http, always(reply()), scenario)


@pytest.mark.parametrize(("status", "kept"), [(307, True), (303, False)])
def test_redirected_upload(http: HttpUnderTest, tmp_path: Path, status: int, *, kept: bool) -> None:
    """307 sends the file once more, 303 leaves it behind."""
    file = tmp_path / "a.txt"
    file.write_bytes(b"content")

    async def respond(request: Request, wire: Wire) -> None:
        data = reply(status, b"", ("Location", "/to")) if request.target == "/" else reply()
        await wire.send(data)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, method="POST", body=StreamBody((file,)))

        assert (got.failure, got.status) == (None, 200)
        assert [request.body for request in server.requests] == [
            b"content",
            b"content" if kept else b"",
        ]

    converse(http, respond, scenario)


# -- connections ---------------------------------------------------------------------------


@pytest.mark.http1
def test_without_keepalive_each_request_connects(http: HttpUnderTest) -> None:
    """Also when the server would have kept the connection."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin, keepalive=False) for _ in range(3)]

        assert [each.connects for each in got] == [1, 1, 1]
        assert [request.connection for request in server.requests] == [0, 1, 2]
        assert server.requests[0].headers["connection"] == "close"

    converse(http, always(reply()), scenario, HttpSettings(keepalive=False))


@pytest.mark.http1
def test_lanes_send_side_by_side(http: HttpUnderTest) -> None:
    """Each has its own connection and reply; cookies and headers are the user's."""
    together = asyncio.Event()
    waiting = 0

    async def respond(request: Request, wire: Wire) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 3:
            together.set()
        if request.target.startswith("/slow"):
            await together.wait()
        await wire.send(reply(200, request.target.encode(), ("Set-Cookie", "sid=1; Path=/")))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.session.set_header("X-User", "ada")
        lanes = user.session.lanes(3)
        users = [TestUser(user.client, lane, {}) for lane in lanes]
        got = await asyncio.gather(
            *(each.get(server.origin, f"/slow/{n}") for n, each in enumerate(users))
        )
        await users[2].get(server.origin, "/after")

        assert lanes[0] is user.session
        assert list(user.session.lanes(2)) == list(lanes[:2])
        assert [each.body for each in got] == [b"/slow/0", b"/slow/1", b"/slow/2"]
        assert server.connections == 3
        assert {request.headers["x-user"] for request in server.requests} == {"ada"}
        assert server.requests[-1].headers["cookie"] == "sid=1"

    converse(http, respond, scenario)


@pytest.mark.http1
def test_the_plan_limits_lanes(http: HttpUnderTest) -> None:
    """`pool.per_user` is how many there are at most."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        assert len(user.session.lanes(5)) == 2
        assert len(user.session.lanes(1)) == 1

    converse(http, always(reply()), scenario, HttpSettings(per_user=2))
