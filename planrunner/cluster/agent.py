"""What lives on a host of a cluster: starts workers there and hands messages both ways.

It reads none of them. Its workers end with it: when it is told to close, when nobody wants it any
more, as when the coordinator was killed, and when it has heard nothing from there for too long.
"""

from __future__ import annotations

import asyncio
import shutil
import time
import zlib
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Protocol

from planrunner.cluster.files.chunks import LaidFile
from planrunner.cluster.files.store import HostStore
from planrunner.cluster.host_facts import HostFacts, own_facts
from planrunner.cluster.parcels import Bundled, Inbox, Outbox, Parcel
from planrunner.engine.workers.local_processes import WorkerProcess, start_worker
from planrunner.errors import CannotRun
from planrunner.schedule.partition import WorkerShare
from planrunner.spawn import command_of, spawn
from planrunner.units import NS_PER_S

__all__ = ["LEASE_S", "AgentCalls", "HostAgent"]

LEASE_S: Final = 15
"""How long workers go on without a word from the coordinator."""

_POLL_S: Final = 2.0
"""How long `collect` waits for something to bring."""

_LOOK_S: Final = 0.5

_MOST_KEPT: Final = 64 << 20
_MOST_BUNDLED: Final = 4 << 20
"""Bytes: of what waits for the coordinator, and of one bundle of it."""


class AgentCalls(Protocol):
    """What a coordinator can ask of an agent, wherever it is.

    Every call may raise an OSError or a TimeoutError, after which it may be made again, and a
    `HostLost`, after which it may not.
    """

    async def facts(self) -> HostFacts: ...

    async def beat(self) -> int:
        """Return the time of the host's clock in nanoseconds, and go on for another while."""

    async def start(self, shares: Mapping[int, WorkerShare]) -> Mapping[int, str]:
        """Start workers that wait for their assignment; return what each is called.

        Raises:
            CannotRun: The system starts none.
        """

    async def deliver(self, bundled: Bundled) -> int:
        """Hand messages to workers; return the number of the last one that has come."""

    async def collect(self, arrived: int) -> Bundled:
        """Return what workers said after those that have arrived; waits a while for something."""

    async def kill(self, worker: int) -> None:
        """End a worker at once."""

    async def said_by(self, module: str, arguments: Sequence[str]) -> tuple[int, str]:
        """Run a module's `main` in a process of the host.

        Returns:
            Its exit code, and what it wrote to standard output.
        """

    async def sees(self, file: str, content: str) -> bool:
        """Whether this file with this content is on the host as well."""

    async def lacks(self, sizes: Mapping[str, int]) -> Mapping[str, int]:
        """Return which files of the plan must be sent; see `HostStore`."""

    async def put(self, key: str, offset: int, data: bytes) -> int:
        """Take a piece of one."""

    async def lay_out(self, files: Sequence[LaidFile], folders: Sequence[str]) -> str:
        """Put them where their paths say, below a new folder, and return that."""

    async def folder(self) -> str:
        """Return the path of a folder of the host's own; it is gone when the agent is."""

    async def sizes(self) -> Mapping[str, int]:
        """Return how large each file in that folder is, in bytes."""

    async def part(self, file: str, offset: int, most: int) -> bytes:
        """Return some bytes of such a file, compressed with zlib."""

    async def close(self) -> None:
        """End all workers, and forget them."""


class HostAgent:
    """An agent, made in its process.

    Args:
        module: Its `main` is the process of a worker.
        lease_s: How long workers go on without a beat.
    """

    def __init__(self, module: str, lease_s: float = LEASE_S) -> None:
        self._crew = _Crew(module, lease_s)

    def __del__(self) -> None:  # whoever wanted it is gone
        self._crew.end()

    async def facts(self) -> HostFacts:
        return own_facts()

    async def beat(self) -> int:
        self._crew.heard()
        return time.perf_counter_ns()

    async def start(self, shares: Mapping[int, WorkerShare]) -> Mapping[int, str]:
        return {number: await self._crew.start(number, shares[number]) for number in shares}

    async def deliver(self, bundled: Bundled) -> int:
        return self._crew.deliver(bundled)

    async def collect(self, arrived: int) -> Bundled:
        outbox = self._crew.outbox
        outbox.arrived(arrived)
        await outbox.filled(_POLL_S)
        return outbox.bundled(_MOST_BUNDLED)

    async def kill(self, worker: int) -> None:
        self._crew.kill(worker)

    async def said_by(self, module: str, arguments: Sequence[str]) -> tuple[int, str]:
        pipe = asyncio.subprocess.PIPE
        process = await spawn(
            *command_of(module), *arguments, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode("utf-8", "replace")

    async def sees(self, file: str, content: str) -> bool:
        return await asyncio.to_thread(_has, Path(file), content)

    async def lacks(self, sizes: Mapping[str, int]) -> Mapping[str, int]:
        return await asyncio.to_thread(self._crew.store().lacks, sizes)

    async def put(self, key: str, offset: int, data: bytes) -> int:
        return await asyncio.to_thread(self._crew.store().put, key, offset, data)

    async def lay_out(self, files: Sequence[LaidFile], folders: Sequence[str]) -> str:
        return str(await asyncio.to_thread(self._crew.store().lay_out, files, folders))

    async def folder(self) -> str:
        return str(self._crew.folder())

    async def sizes(self) -> Mapping[str, int]:
        files = self._crew.folder().iterdir()
        return {file.name: file.stat().st_size for file in files if file.is_file()}

    async def part(self, file: str, offset: int, most: int) -> bytes:
        return await asyncio.to_thread(_compressed, self._crew.folder() / file, offset, most)

    async def close(self) -> None:
        await self._crew.ended()


def _has(path: Path, content: str) -> bool:
    try:
        return path.read_text("utf-8") == content
    except (OSError, UnicodeError):
        return False


def _compressed(path: Path, offset: int, most: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return zlib.compress(file.read(most), 1)


class _Crew:
    """The workers of an agent. Their tasks hold on to it, and not to the agent."""

    def __init__(self, module: str, lease_s: float) -> None:
        self._module = module
        self._lease_ns = int(lease_s * NS_PER_S)
        self._heard_ns = time.perf_counter_ns()
        self._inbox = Inbox()
        self._processes: dict[int, WorkerProcess] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._folder: Path | None = None
        self._store: HostStore | None = None
        self._has_ended = False
        self._starting = asyncio.Lock()
        self.outbox = Outbox(_MOST_KEPT)

    def heard(self) -> None:
        """Go on for another while.

        Raises:
            CannotRun: It is too late: the coordinator may have given this host up.
        """
        self._look_at_lease()
        self._heard_ns = time.perf_counter_ns()

    def _look_at_lease(self) -> None:
        if time.perf_counter_ns() - self._heard_ns > self._lease_ns:
            self.end()
        if self._has_ended:
            raise CannotRun("its workers were ended: the coordinator was not heard in time")

    async def _watch(self) -> None:
        while not self._has_ended:
            await asyncio.sleep(_LOOK_S)
            if time.perf_counter_ns() - self._heard_ns > self._lease_ns:
                self.end()

    def folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="planrunner-"))
        return self._folder

    def store(self) -> HostStore:
        if self._store is None:
            self._store = HostStore()
        return self._store

    async def start(self, number: int, share: WorkerShare) -> str:
        """Start a worker, unless it was: whoever asks may not have heard the answer."""
        async with self._starting:
            if number not in self._processes:
                await self._start(number, share)
        return self._processes[number].name

    async def _start(self, number: int, share: WorkerShare) -> None:
        self._look_at_lease()
        try:
            process = await start_worker(share, command_of(self._module))
        except OSError as error:
            raise CannotRun(f"can't start worker {number + 1}: {error.strerror}") from error
        if not self._tasks:
            self._begin(self._watch())
        self._processes[number] = process
        self._begin(self._relay(number, process))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, number: int, process: WorkerProcess) -> None:
        """Take in what a worker says until it has ended."""
        try:
            while True:
                self.outbox.put(Parcel(number, await process.transport.receive_frame()))
                await self.outbox.room()
        except EOFError:
            self.outbox.put(Parcel(number, None, await process.fate()))
        finally:
            await process.transport.close()

    def deliver(self, bundled: Bundled) -> int:
        for parcel in self._inbox.new(bundled):
            if parcel.data is not None and parcel.worker in self._processes:
                self._processes[parcel.worker].transport.send_frame(parcel.data)
        return self._inbox.taken

    def kill(self, worker: int) -> None:
        if worker in self._processes:
            self._processes[worker].kill()

    def end(self) -> None:
        """Kill what is left, from any thread."""
        self._has_ended = True
        for process in self._processes.values():
            process.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._store is not None:
            self._store.close()
            self._store = None

    async def ended(self) -> None:
        """Kill what is left, and return when nothing is."""
        self.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(process.close() for process in self._processes.values()))
