"""Processes that a plan starts before the load and stops after it, whatever happens between."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from planrunner.errors import CannotRun
from planrunner.values import dataclass

__all__ = ["DemoService", "free_port", "start_services"]

READY_TIMEOUT_S = 15.0
_STOP_GRACE_S = 3.0
_LOG_TAIL_BYTES = 4096


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class DemoService:
    """An embedded demo target, in a process of its own so that it takes no time from the load.

    Its standard input is a pipe of ours: when it closes, because we stop or are killed, the
    server ends by itself, so nothing is ever left behind.
    """

    name: str
    demo: str
    port: int

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start the server, wait until it answers, and stop it at the end.

        Raises:
            CannotRun: It ended or did not listen in time; the message has its last words.
        """
        command = [sys.executable, "-m", "planrunner", "demo", self.demo]
        process = await asyncio.create_subprocess_exec(
            *command,
            "--port",
            str(self.port),
            "--until-input-closes",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us; we stop it when the load has ended
        )
        try:
            await self._until_ready(process)
            yield
        finally:
            await _stop(process)

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        """Wait for the line that the server prints when it listens.

        A connect would not do: on a busy port it is a stranger that answers.
        """
        assert process.stdout is not None
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                line = await process.stdout.readline()
        except TimeoutError:
            reason = "did not listen in time"
        else:
            if line:
                return
            reason = "ended"
        words = await _last_words(process)
        raise CannotRun(
            f"service `{self.name}` (demo `{self.demo}`) {reason} on port {self.port}{words}",
            hint="check that the port is free",
        )


async def _last_words(process: asyncio.subprocess.Process) -> str:
    await _stop(process)
    if process.stderr is None:
        return ""
    text = (await process.stderr.read(_LOG_TAIL_BYTES)).decode(errors="replace").strip()
    return f": {text.splitlines()[-1]}" if text else ""


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the process: ask by closing its input, then insist."""
    if process.stdin is not None:
        process.stdin.close()
    for insist in (process.terminate, process.kill):
        try:
            await asyncio.wait_for(process.wait(), _STOP_GRACE_S)
        except TimeoutError:
            insist()
        else:
            return
    await process.wait()


@asynccontextmanager
async def start_services(services: Sequence[DemoService]) -> AsyncIterator[None]:
    """Run all services around the block, started in order and stopped in reverse."""
    async with AsyncExitStack() as stack:
        for service in services:
            await stack.enter_async_context(service.running())
        yield
