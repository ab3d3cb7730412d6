"""What a session tells of its last exchange: every client the same."""

from __future__ import annotations

import gzip

import pytest

from planrunner.protocols.base import Recalling
from planrunner.protocols.http.url import Origin
from tests.support.http_servers import always, closed_port, reply, serve
from tests.support.http_users import HttpUnderTest

GZIPPED = "Content-Encoding", "gzip"


def recalled(http: HttpUnderTest, answer: bytes, **asked: object) -> tuple[str, str]:
    """Send a GET that is answered so, once on a new connection and once on an open one."""

    async def scenario() -> tuple[str, str]:
        async with serve(always(answer)) as server, http.user() as user:
            for _ in range(2):
                await user.send(server.origin, "/a?b=c", **asked)
            assert isinstance(user.session, Recalling)
            sent, received = user.session.recall()
            return sent.replace(str(server.origin), "ORIGIN"), received

    return http.run(scenario)


def test_a_request_is_told_with_its_whole_url(http: HttpUnderTest) -> None:
    """Method, URL and headers as they left."""
    sent, received = recalled(http, reply(500, b"out of cheese"), headers={"X-Shop": "7"})

    assert sent.startswith("GET ORIGIN/a?b=c\n")
    assert "X-Shop: 7" in sent
    assert received.startswith(("HTTP/1.1 500 ", "HTTP/2 500\n"))


@pytest.mark.parametrize("needs_body", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        reply(503, b"out of cheese"),
        reply(503, gzip.compress(b"out of cheese", mtime=0), GZIPPED),
        b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"6\r\nout of\r\n7\r\n cheese\r\n0\r\n\r\n",
    ],
    ids=["plain", "gzip", "chunked"],
)
def test_a_refusal_is_told_with_its_body(
    http: HttpUnderTest, answer: bytes, *, needs_body: bool
) -> None:
    """Although nothing in the plan reads it: why a server refuses stands there."""
    _, received = recalled(http, answer, needs_body=needs_body)

    assert received.endswith("\n\nout of cheese")


def test_what_was_never_sent_is_empty(http: HttpUnderTest) -> None:
    """Also after a request that was."""

    async def scenario() -> tuple[str, str]:
        async with serve(always(reply(200, b"fine"))) as server, http.user() as user:
            await user.send(server.origin)
            await user.send(Origin("http", "127.0.0.1", closed_port()))
            assert isinstance(user.session, Recalling)
            return user.session.recall()

    assert http.run(scenario) == ("", "")
