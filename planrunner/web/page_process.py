"""The page of one run as that run sees it: a process of its own, so that viewers cost no load."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from planrunner.engine.steering import Steering
from planrunner.engine.stop import Stop
from planrunner.engine.workers.transport import SocketTransport
from planrunner.errors import CannotRun, PlanrunnerError
from planrunner.extras import need
from planrunner.results.exit_codes import code_of_error
from planrunner.results.model import RunResult
from planrunner.runner.request import PreparedRun
from planrunner.spawn import command_of
from planrunner.web.feed.live_output import LiveOutput
from planrunner.web.feed.messages import (
    PageListening,
    PageRefused,
    RunOpened,
    RunOver,
    ServePage,
)
from planrunner.web.feed.run_facts import run_facts
from planrunner.web.feed.wheel import heed

__all__ = ["OpenPage", "PageProcess"]

_START_S: Final = 20.0
_END_S: Final = 3.0


class OpenPage:
    """The page while the run lasts.

    Attributes:
        url: For a person to open; whoever knows it can look at the run and end it.
        ticket: Opens the page once.
        output: What the run tells the page.
    """

    def __init__(self, listening: PageListening, transport: SocketTransport) -> None:
        self.url, self.ticket = listening.url, listening.ticket
        self._transport = transport
        self.output = LiveOutput(transport)

    def show(self, prepared: PreparedRun) -> None:
        """Let it be a page of this run from now on."""
        self._transport.send(RunOpened(run_facts(prepared)))

    def over(
        self, result: RunResult, directory: Path, files: Sequence[Path], *, lingers: bool
    ) -> None:
        """Say that the run's files are written.

        Args:
            result: What came of the run.
            directory: Of the run.
            files: Those that may be read.
            lingers: Whether the page may stay as long as somebody looks at it.
        """
        names = tuple(path.name for path in files)
        self._transport.send(
            RunOver(result.exit_code, str(directory.absolute()), names, lingers=lingers)
        )

    def failed(self, error: PlanrunnerError) -> None:
        """Say why there is no result."""
        self._transport.send(RunOver(code_of_error(error), message=error.message, hint=error.hint))


class PageProcess:
    """The process; it starts with the object, and is gone at the end of its block.

    Args:
        host: Where to listen.
        port: 0 for a free one.

    Attributes:
        host: Where it listens.

    Raises:
        PackageMissing: The extra `ui` is not installed.
        CannotRun: There are no such processes on this system.
    """

    def __init__(self, host: str, port: int) -> None:
        if sys.platform == "win32":
            raise CannotRun("the live page needs Linux or macOS", hint="run without --ui")
        for package in ("starlette", "uvicorn"):
            need(package, "the live page")
        self.host = host
        self._where = ServePage(host, port)
        self._socket, there = socket.socketpair()
        with there:
            self._process = subprocess.Popen(
                [*command_of("planrunner.web.page_main"), str(there.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(there.fileno(),),
                start_new_session=True,  # Ctrl-C is for the run
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @asynccontextmanager
    async def open(self, stop: Stop, steering: Steering) -> AsyncIterator[OpenPage]:
        """Let the page be opened, and pass on what its viewers ask.

        Raises:
            CannotRun: It can't listen.
        """
        transport = await SocketTransport.over(self._socket.dup())
        try:
            page = OpenPage(await self._listening(transport), transport)
            asking = asyncio.create_task(heed(transport, stop, steering))
            try:
                yield page
            except PlanrunnerError as error:
                page.failed(error)
                raise
            finally:
                asking.cancel()
        finally:
            await transport.close()

    async def _listening(self, transport: SocketTransport) -> PageListening:
        transport.send(self._where)
        try:
            async with asyncio.timeout(_START_S):
                answer = await transport.receive()
        except (EOFError, TimeoutError) as error:
            hint = "run without --ui; what it said itself is above"
            raise CannotRun("the process of the live page did not start", hint=hint) from error
        if isinstance(answer, PageRefused):
            raise CannotRun(answer.message, hint=answer.hint)
        assert isinstance(answer, PageListening)
        return answer

    def wait(self, seconds: float | None = None) -> bool:
        """Return when nobody needs the page, and True; False when so much time has passed."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return True
        return False
