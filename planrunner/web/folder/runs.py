"""The run that was started from the page: a process of its own, one at a time."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from planrunner.engine.workers.transport import SocketTransport
from planrunner.results.exit_codes import ExitCode
from planrunner.spawn import spawn
from planrunner.web.feed.messages import PageAsks, RunOpened, RunOver, StopAsked
from planrunner.web.folder.order import RunOrder
from planrunner.web.folder.past import PastRunsOfFolder
from planrunner.web.folder.plans import PlansOfFolder
from planrunner.web.live.hub import LiveHub
from planrunner.web.live.live_run import LiveRun
from planrunner.web.server.live_runs import RunFiles
from planrunner.web.server.run_routes import ApiError

__all__ = ["FolderRuns"]

_MOST_KEPT: Final = 5
"""Runs that can be looked at as they were; of others there are reports."""

_LAST_S: Final = 3.0


class FolderRuns:
    """Runs plans of a folder.

    Args:
        plans: Of the folder.
        past: The runs before.
        command: Starts the process of a run; the descriptor of its socket follows.
    """

    mode = "folder"

    def __init__(
        self, plans: PlansOfFolder, past: PastRunsOfFolder, command: Callable[[], Sequence[str]]
    ) -> None:
        self._plans = plans
        self._past = past
        self._command = command
        self._hubs: OrderedDict[str, LiveHub] = OrderedDict()
        self._running: _RunningPlan | None = None

    @property
    def current(self) -> str | None:
        running = self._running
        return running.run_id if running is not None and running.run_id else None

    def hub(self, run_id: str) -> LiveHub | None:
        return self._hubs.get(run_id)

    def ask(self, run_id: str, request: PageAsks) -> None:
        if self._running is not None and self._running.run_id == run_id:
            self._running.ask(request)

    def files(self, run_id: str) -> RunFiles | None:
        hub = self._hubs.get(run_id)
        if hub is not None and hub.run.directory is not None:
            return RunFiles(hub.run.directory, hub.run.files)
        return self._past.files(run_id)

    def facts(self) -> dict[str, object]:
        return {"folder": str(self._plans.folder), "no_exec": self._plans.no_exec}

    def live(self) -> tuple[LiveRun, ...]:
        """Return those that are kept, the last one first."""
        return tuple(hub.run for hub in reversed(self._hubs.values()))

    async def start(self, order: RunOrder) -> str:
        """Start a run, and return its id when it is about to begin.

        Raises:
            ApiError: Another one goes on, or this one can't begin.
        """
        if self._running is not None:
            hint = "two loads at once would measure each other: stop it, or wait for its end"
            raise ApiError(409, "another run goes on", hint=hint)
        self._running = running = _RunningPlan()
        try:
            opened = await running.begin(self._command(), order)
        except BaseException:
            self._running = None
            await running.end()
            raise
        hub = LiveHub(LiveRun(opened.facts))
        running.run_id = hub.run.id
        self._hubs[hub.run.id] = hub
        self._past.remember(Path(opened.facts["directory"]))
        while len(self._hubs) > _MOST_KEPT:
            self._hubs.popitem(last=False)
        running.follow(hub, self._ended)
        return hub.run.id

    def _ended(self) -> None:
        self._running = None

    async def close(self, *, at_once: bool = False) -> None:
        """End what runs, and return when it has."""
        if self._running is not None:
            self._running.ask(StopAsked(at_once=at_once))
            await self._running.over()

    def kill(self) -> None:
        """End what runs without its reports."""
        if self._running is not None:
            self._running.kill()


class _RunningPlan:
    """The process of a run, and the way to it."""

    def __init__(self) -> None:
        self.run_id = ""
        self._process: asyncio.subprocess.Process | None = None
        self._transport: SocketTransport | None = None
        self._following: asyncio.Task[None] | None = None

    async def begin(self, command: Sequence[str], order: RunOrder) -> RunOpened:
        """Start the process; returns what it says of the run.

        Raises:
            ApiError: It says that there is none.
        """
        here, there = socket.socketpair()
        with there:
            try:
                self._process = await spawn(
                    *command,
                    str(there.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(there.fileno(),),
                    start_new_session=True,  # Ctrl-C is for the server, which asks it to end
                )
            except OSError as error:
                here.close()
                raise ApiError(400, f"can't start a process: {error.strerror}") from error
        self._transport = await SocketTransport.over(here)
        self._transport.send(order)
        try:
            said = await self._transport.receive()
        except EOFError as error:
            raise ApiError(400, "the process of the run has ended") from error
        if isinstance(said, RunOver):
            raise ApiError(400, said.message, hint=said.hint, faults=list(said.faults))
        assert isinstance(said, RunOpened)
        return said

    def follow(self, hub: LiveHub, on_end: Callable[[], None]) -> None:
        """Show what it says until it ends."""
        self._following = asyncio.create_task(self._follow(hub))
        self._following.add_done_callback(lambda _: on_end())

    async def _follow(self, hub: LiveHub) -> None:
        assert self._transport is not None
        try:
            while not hub.run.is_over:
                hub.take(await self._transport.receive())  # type: ignore[arg-type]  # as in take
        except EOFError:
            words = "the process of the run has ended"
            hub.take(RunOver(ExitCode.CANNOT_RUN, message=words))
        finally:
            await self.end()

    def ask(self, request: PageAsks) -> None:
        if self._transport is not None:
            self._transport.send(request)

    async def over(self) -> None:
        """Return when it has ended."""
        if self._following is not None:
            with suppress(asyncio.CancelledError):
                await asyncio.wait([self._following])

    async def end(self) -> None:
        """See to it that nothing is left of it."""
        if self._transport is not None:
            await self._transport.close()
        if self._process is not None:
            try:
                async with asyncio.timeout(_LAST_S):
                    await self._process.wait()
            except TimeoutError:
                self.kill()
                await self._process.wait()

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
