"""Services start before the load, stop after it, and never outlive planrunner."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from planrunner.errors import CannotRun
from planrunner.target import DemoService, check_reachable, free_port, start_services


def answers(port: int) -> bool:
    """Say whether anything accepts a connection on `port`."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_until(port: int, *, answering: bool, seconds: float = 10) -> bool:
    """Poll until the port answers, or no longer does; say whether it came to that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answers(port) is answering:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.slow
def test_service_answers_inside_the_block_and_not_after() -> None:
    """A demo service listens while the block runs and is gone when it ends."""
    port = free_port()

    async def use() -> bool:
        async with start_services([DemoService("shop", "shop", port)]):
            return await asyncio.to_thread(answers, port)

    assert asyncio.run(use()) is True
    assert answers(port) is False


@pytest.mark.slow
def test_busy_port_is_said_with_the_services_last_words() -> None:
    """A service whose port a stranger holds ends the run with its own reason."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        service = DemoService("shop", "shop", port)

        async def use() -> None:
            async with start_services([service]):
                pass

        with pytest.raises(CannotRun, match=rf"service `shop` .*ended on port {port}"):
            asyncio.run(use())


@pytest.mark.slow
def test_demo_dies_with_its_parent() -> None:
    """A parent killed with SIGKILL leaves no demo server behind: its pipe closes."""
    port = free_port()
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, time\n"
            "subprocess.Popen([sys.executable, '-m', 'planrunner', 'demo', 'shop', '--port',"
            f" '{port}', '--until-input-closes'], stdin=subprocess.PIPE,"
            " stdout=subprocess.DEVNULL)\n"
            "time.sleep(60)",
        ]
    )
    try:
        assert wait_until(port, answering=True)
        os.kill(parent.pid, signal.SIGKILL)
    finally:
        parent.kill()
        parent.wait()

    assert wait_until(port, answering=False)


def test_nothing_listening_is_said_before_the_load() -> None:
    """A target that refuses the connection ends the run before anything is sent."""
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(CannotRun, match=r"nothing answers at .*: connection refused"):
        asyncio.run(check_reachable(url))


def test_host_that_does_not_resolve_is_said() -> None:
    """A name nobody knows is told apart from a refused connection."""
    with pytest.raises(CannotRun, match="cannot resolve the host"):
        asyncio.run(check_reachable("http://no-such-host.invalid:80"))


def test_listening_target_passes() -> None:
    """One accepted connection is enough, and nothing is sent over it."""

    async def listen() -> bytes:
        seen: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.set_result(await reader.read())
            writer.close()

        server = await asyncio.start_server(client, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await check_reachable(f"http://127.0.0.1:{port}")
        sent = await seen
        server.close()
        return sent

    assert asyncio.run(listen()) == b""
