"""The rooms of the demo assistant, as a WebSocket client of another make sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from planrunner.demo import DEMOS, HttpServer
from planrunner.demo.assistant.chat import Rooms
from tests.support.ws_users import ws_user

SAY = json.dumps({"type": "say", "text": "hello"})


@asynccontextmanager
async def demo() -> AsyncIterator[int]:
    server = HttpServer(DEMOS["assistant"]())
    port = await server.start()
    try:
        yield port
    finally:
        await server.stop()


def entering(port: int, room: int = 1, **options: Any) -> Any:
    options.setdefault("subprotocols", ["chat.v1"])
    return connect(f"ws://127.0.0.1:{port}/chat?room={room}", **options)


async def told(client: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await client.recv())
    return found


def test_what_one_says_comes_to_the_room() -> None:
    """To its talker first, and to no other room."""

    async def scenario() -> None:
        async with (
            demo() as port,
            entering(port) as ann,
            entering(port) as bob,
            entering(port, 2) as eve,
        ):
            assert ann.subprotocol == "chat.v1"
            welcomes = [await told(one) for one in (ann, bob, eve)]
            await ann.send(SAY)
            heard = [await told(ann), await told(bob)]
            await eve.send("nonsense")
            other = await told(eve)
            await eve.ping()

        assert [one["type"] for one in welcomes] == ["welcome"] * 3
        assert (
            heard[0]
            == heard[1]
            == {
                "type": "said",
                "from": welcomes[0]["id"],
                "number": 1,
                "text": "hello",
            }
        )
        assert other["type"] == "error"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("message", "code"),
    [(b"binary", 1003), ("x" * 1_100_000, 1009), (["a" * 600_000, "b" * 600_000], 1009)],
)
def test_what_it_does_not_take(message: Any, code: int) -> None:
    """The close says why; what is fragmented is one message."""

    async def scenario() -> None:
        async with demo() as port, entering(port) as client:
            await told(client)
            await client.send([SAY[:9], SAY[9:]])
            assert (await told(client))["text"] == "hello"
            with pytest.raises(ConnectionClosed):  # noqa: PT012 - either may be the first to see it
                await client.send(message)
                await client.recv()
            assert client.close_code == code

    asyncio.run(scenario())


def test_no_handshake_is_a_request() -> None:
    """And a path that is no WebSocket answers one as ever."""

    async def asked(port: int, *lines: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode())
        answer = await reader.read()
        writer.close()
        return answer

    async def scenario() -> None:
        async with demo() as port:
            plain = await asked(port, "GET /chat HTTP/1.1", "Host: x")
            assert b"404" in plain.splitlines()[0]

    asyncio.run(scenario())


def test_samples_hold_what_the_rooms_logged() -> None:
    """Each begins before its message came there and ends after it went out."""

    async def scenario() -> None:
        async with demo() as port, ws_user(port) as user:
            await user.connect("/chat")
            await user.receive(until="json.type == 'welcome'", extract={"me": "$.id"})
            samples = []
            for _ in range(5):
                await user.say(SAY)
                samples.append(await user.receive(until="json.from == me"))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /chat/log HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            log = json.loads((await reader.read()).partition(b"\r\n\r\n")[2])
            writer.close()

        assert [entry["number"] for entry in log] == [1, 2, 3, 4, 5]
        for sample, entry in zip(samples, log, strict=True):
            assert sample.failure is None
            assert sample.asked_ns <= entry["asked_ns"] < entry["sent_ns"] <= sample.ended_ns

    asyncio.run(scenario())


def test_delays_come_of_the_seed() -> None:
    """The same talker waits as long in every run."""

    async def drawn(seed: int) -> list[float]:
        rooms = Rooms(seed, lambda: 0)
        talker = rooms.enter(_Asked(), _Deaf())  # type: ignore[arg-type]
        due = []
        for _ in range(3):
            talker.on_text(SAY)
            due.append(talker._out_ns)
        return due

    async def scenario() -> None:
        assert await drawn(1) == await drawn(1) != await drawn(2)

    asyncio.run(scenario())


class _Asked:
    query: dict[str, str] = {}  # noqa: RUF012 - never written


class _Deaf:
    def send(self, text: str) -> None: ...
