"""Workers as processes of their own: started, reached through a socket pair, never left behind."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from planrunner.engine.workers.messages import Assignment
from planrunner.engine.workers.transport import SocketTransport
from planrunner.engine.workers.worker_state import ClockFacts
from planrunner.errors import CannotRun
from planrunner.schedule.partition import WorkerShare
from planrunner.spawn import spawn

__all__ = ["WorkerProcess", "start_worker", "worker_processes"]

_LAST_S: Final = 2.0
"""What a worker gets to end by itself once there is nothing more to do."""


class WorkerProcess:
    """One worker's process, as a `WorkerHandle`."""

    def __init__(
        self, share: WorkerShare, process: asyncio.subprocess.Process, transport: SocketTransport
    ) -> None:
        self.name = f"worker {share.worker + 1} of {share.workers} (process {process.pid})"
        self.host = socket.gethostname()
        self.clock: Final = ClockFacts()
        self.transport: Final = transport
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def fate(self) -> str:
        code = await self._end()
        if code is None:
            return "closed its connection and was killed"
        if code >= 0:
            return f"died: it exited with code {code}"
        words = f"died: it was killed by {_signal_name(-code)}"
        if -code == signal.SIGKILL:
            words += ", manually, or by the out-of-memory killer"
        return words

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    async def close(self) -> None:
        await self._end()
        await self.transport.close()

    async def _end(self) -> int | None:
        """Return the exit code; None if it did not end by itself."""
        try:
            async with asyncio.timeout(_LAST_S):
                return await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
            return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@asynccontextmanager
async def worker_processes(
    workers: int, *, command: Sequence[str], source: object, names: Mapping[str, object]
) -> AsyncIterator[Sequence[WorkerProcess]]:
    """Start workers, and see to it that they are gone at the end of the block.

    Args:
        workers: How many.
        command: Starts one; it gets the number of its socket's descriptor as last argument.
        source: What they make their graphs from; it must pickle.
        names: What users see as `run`.

    Raises:
        CannotRun: The system starts none.
    """
    if sys.platform == "win32":
        raise CannotRun("several workers need Linux or macOS", hint="run with --workers 1")
    started: list[WorkerProcess] = []
    try:
        for number in range(workers):
            share = WorkerShare(number, workers)
            try:
                worker = await start_worker(share, command)
            except OSError as error:
                words = f"can't start worker {number + 1} of {workers}: {error.strerror}"
                raise CannotRun(words) from error
            started.append(worker)
            worker.transport.send(Assignment(share, names, source))
        yield started
    finally:
        for worker in started:
            worker.kill()
        await asyncio.gather(*(worker.close() for worker in started))


async def start_worker(share: WorkerShare, command: Sequence[str]) -> WorkerProcess:
    """Start the process of one worker, which waits for its assignment.

    Raises:
        OSError: The system starts none.
    """
    here, there = socket.socketpair()
    with there:
        process = await spawn(
            *command,
            str(there.fileno()),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(there.fileno(),),
            start_new_session=True,  # Ctrl-C is for the coordinator, which tells the workers
        )
    return WorkerProcess(share, process, await SocketTransport.over(here))
