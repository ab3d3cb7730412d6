"""Messages between processes arrive whole, in order, and their end is seen."""

from __future__ import annotations

import asyncio
import socket

import pytest

from planrunner.engine.workers.transport import SocketTransport


async def pair() -> tuple[SocketTransport, SocketTransport]:
    here, there = socket.socketpair()
    return await SocketTransport.over(here), await SocketTransport.over(there)


def test_messages_of_any_size_arrive_in_order() -> None:
    """Ten megabytes are no line that a buffer must hold."""

    async def main() -> list[object]:
        here, there = await pair()
        for message in ("first", b"x" * 10_000_000, {"last": (1, None)}):
            here.send(message)
        received = [await there.receive() for _ in range(3)]
        await here.close()
        await there.close()
        return received

    assert asyncio.run(main()) == ["first", b"x" * 10_000_000, {"last": (1, None)}]


def test_the_end_comes_after_all_that_was_sent() -> None:
    """Then, and whenever one asks again, there is nothing."""

    async def main() -> object:
        here, there = await pair()
        here.send("bye")
        await here.close()
        received = await there.receive()
        for _ in range(2):
            with pytest.raises(EOFError):
                await there.receive()
        await there.close()
        return received

    assert asyncio.run(main()) == "bye"


def test_what_nobody_will_get_is_dropped() -> None:
    """A worker may be gone before the coordinator knows."""

    async def main() -> None:
        here, there = await pair()
        await there.close()
        with pytest.raises(EOFError):
            await here.receive()
        for _ in range(10):
            here.send("anybody?")
            await asyncio.sleep(0)
        await here.close()
        here.send("still?")

    asyncio.run(main())


def test_a_torn_message_is_the_end() -> None:
    """Its sender was killed while it wrote."""

    async def main() -> None:
        here, there = socket.socketpair()
        transport = await SocketTransport.over(there)
        here.sendall(b"\x10\0\0\0\0\0\0\0half")
        here.close()
        with pytest.raises(EOFError):
            await transport.receive()
        await transport.close()

    asyncio.run(main())
