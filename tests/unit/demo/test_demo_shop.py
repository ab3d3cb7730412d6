"""The demo shop answers what the shipped plans ask, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from planrunner.demo import DEMOS, HttpServer

Talk = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def ask(*talks: Talk) -> list[httpx.Response]:
    """Serve the shop on a free port and return the replies to `talks`, in order."""

    async def serve() -> list[httpx.Response]:
        server = HttpServer(DEMOS["shop"]())
        port = await server.start()
        try:
            base = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
                return [await talk(client) for talk in talks]
        finally:
            await server.stop()

    return asyncio.run(serve())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/docs", 200),
        ("/products", 200),
        ("/products/500", 200),
        ("/products/501", 404),
        ("/products/x", 404),
        ("/search?q=product%2012", 200),
        ("/nowhere", 404),
        ("/cart", 405),
    ],
)
def test_path_answers_with_its_status(path: str, status: int) -> None:
    """Known paths answer, unknown ones say so."""
    (reply,) = ask(lambda client: client.get(path))

    assert reply.status_code == status


def test_cart_becomes_an_order() -> None:
    """What one customer puts into the cart is what the checkout counts, and nobody else's."""
    anna, ben = {"X-Customer": "anna"}, {"X-Customer": "ben"}
    first, second, order, other = ask(
        lambda c: c.post("/cart", json={"product": 3}, headers=anna),
        lambda c: c.post("/cart", json={"product": 4}, headers=anna),
        lambda c: c.post("/checkout", headers=anna),
        lambda c: c.post("/checkout", headers=ben),
    )

    assert [first.json()["items"], second.json()["items"]] == [1, 2]
    assert (order.status_code, order.json()["items"]) == (201, 2)
    assert other.json()["items"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"product": 0}', b'{"product": "3"}'])
def test_bad_order_is_refused(body: bytes) -> None:
    """A cart takes numbers of products that exist, nothing else."""
    (reply,) = ask(lambda client: client.post("/cart", content=body))

    assert reply.status_code == 400


def test_head_has_the_length_and_no_body() -> None:
    """HEAD answers like GET, without the body."""
    got, head = ask(lambda c: c.get("/"), lambda c: c.head("/"))

    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.content == b""


def test_garbage_is_answered_and_hung_up_on() -> None:
    """A client that doesn't speak HTTP gets 400 and no further service."""

    async def talk() -> bytes:
        server = HttpServer(DEMOS["shop"]())
        port = await server.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
        reply = await reader.read()
        writer.close()
        await server.stop()
        return reply

    assert asyncio.run(talk()).startswith(b"HTTP/1.1 400 ")


def test_a_client_of_http_1_0_learns_that_its_connection_is_kept() -> None:
    """It would wait for its end."""

    async def talk(head: bytes) -> bytes:
        server = HttpServer(DEMOS["shop"]())
        port = await server.start()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.0\r\n" + head + b"\r\n")
            found = await reader.readuntil(b"\r\n\r\n")
            writer.close()
        finally:
            await server.stop()
        return found

    assert b"Connection: keep-alive\r\n" in asyncio.run(talk(b"Connection: Keep-Alive\r\n"))
    assert b"Connection: close\r\n" in asyncio.run(talk(b""))
