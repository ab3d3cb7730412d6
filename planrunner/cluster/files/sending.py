"""Brings the files of a plan to hosts: each once a machine, in pieces, whatever is there already.

```
async with packed(source, graph, [workers of each host]) as manifests:
    there = await bring([Delivery(…, manifest) for …], tell)
    … source.on(there[n]) is what workers of host n compile …
```

Workers that see the coordinator's own files need none of this: they compile
`source.on(HostFiles.here())`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, closing
from functools import partial
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final, Protocol, TypeVar

from planrunner.cluster.files.chunks import CHUNK, LaidFile, pack
from planrunner.cluster.files.dealing import dealt_files
from planrunner.cluster.files.manifest import (
    FileToSend,
    Manifest,
    file_to_send,
    manifest,
    needed_files,
)
from planrunner.compiler.source import GraphSource
from planrunner.errors import CannotRun
from planrunner.graph.run_graph import RunGraph
from planrunner.language.files import MAX_SENT, FileFault, open_file
from planrunner.plan.host_files import HostFiles
from planrunner.plan.loader import load_bundle
from planrunner.values import dataclass

__all__ = ["Delivered", "Delivery", "HostCalls", "bring", "packed"]

T = TypeVar("T")

_IN_FLIGHT: Final = 8
_BYTES_IN_FLIGHT: Final = 4 << 20
"""Pieces that are on their way to a host at once, and their bytes: over a slow line, the beats that
tell that the host lives wait behind them."""

_PATIENCE_S: Final = 10.0
"""How long a call that fails is made again."""

_PAUSE_S: Final = 0.2


class HostCalls(Protocol):
    """What is asked of the store of a host, wherever that is; see `HostStore`.

    A call that raises an OSError or TimeoutError is made again for a while. Where that is of no
    use, as when the host is gone, it raises a CannotRun.
    """

    async def lacks(self, sizes: Mapping[str, int]) -> Mapping[str, int]: ...
    async def put(self, key: str, offset: int, data: bytes) -> int: ...
    async def lay_out(self, files: Sequence[LaidFile], folders: Sequence[str]) -> str: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where files go.

    Attributes:
        name: Of the host, for people.
        machine: What deliveries share that have one store on a disk.
        calls: What is asked of it.
        manifest: What it gets.
    """

    name: str
    machine: str
    calls: HostCalls
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Delivered:
    """How far it is.

    Attributes:
        host: The name of a host.
        file: The path of the file that is being sent.
        bytes: Of all files, that this host has by now.
        of: How many it lacked.
    """

    host: str
    file: str
    bytes: int
    of: int


@asynccontextmanager
async def packed(
    source: GraphSource, graph: RunGraph, hosts: Sequence[Sequence[int]]
) -> AsyncIterator[list[Manifest]]:
    """Find out what each host must get; files in which rows are dealt are gone after the block.

    Args:
        source: What `graph` was compiled from, in this process.
        graph: What runs.
        hosts: The numbers of the workers of each, together all of them.

    Raises:
        CannotRun: Something can't be read, or not be sent.
    """
    ordered = [sorted(workers) for workers in hosts]
    with TemporaryDirectory(prefix="planrunner-rows-") as folder:
        yield await asyncio.to_thread(_manifests, source, graph, ordered, Path(folder))


def _manifests(
    source: GraphSource, graph: RunGraph, hosts: Sequence[Sequence[int]], folder: Path
) -> list[Manifest]:
    bundle = source.bundle
    needed = needed_files(load_bundle(bundle, source.sources), graph)
    common, dealt = [], []
    for path, file in needed.files.items():
        found = None
        if path in needed.tables:
            found = dealt_files(graph, path, file.source, hosts, folder)
        if found is not None:
            dealt.append(found)
            continue
        common.append(
            file_to_send(path, file.source, is_secret=file.is_secret, folders=bundle.folders)
        )
    return [
        manifest(bundle, needed, [*common, *(files[host] for files in dealt)])
        for host in range(len(hosts))
    ]


async def bring(
    deliveries: Sequence[Delivery], tell: Callable[[Delivered], None] = lambda _: None
) -> list[HostFiles]:
    """Send what each host lacks, and lay it out there.

    A call that fails is made again for a while; to call this anew goes on where it ended.

    Args:
        deliveries: The hosts.
        tell: Called as pieces arrive.

    Returns:
        Where the files are on each host.

    Raises:
        CannotRun: A host has no room, can't be reached, or a file has changed meanwhile.
    """
    machines = {one.machine: one for one in reversed(deliveries)}
    first = [one for one in deliveries if machines[one.machine] is one]
    rest = [one for one in deliveries if machines[one.machine] is not one]
    for wave in (first, rest):  # what one brings to a machine, the others find there
        await _send(wave, tell)
    return [await _laid_out(one) for one in deliveries]


async def _laid_out(one: Delivery) -> HostFiles:
    wanted = one.manifest
    laid = [file.laid for file in wanted.files]
    tree = await _tried(one, partial(one.calls.lay_out, laid, wanted.folders))
    dealt = {file.laid.path: file.workers for file in wanted.files if file.workers}
    return HostFiles(Path(tree), wanted.directory, wanted.links, dealt)


class _Host:
    """A delivery, while it is made."""

    def __init__(self, to: Delivery, lacks: Mapping[str, int], of: int) -> None:
        self.to = to
        self.lacks = lacks
        self._under_way: list[int] = []
        self._eased = asyncio.Event()
        self._sent, self._of = 0, of

    async def begin(self, size: int) -> None:
        """Wait until a piece of so many bytes may go, too."""
        while self._under_way and (
            len(self._under_way) == _IN_FLIGHT or sum(self._under_way) + size > _BYTES_IN_FLIGHT
        ):
            self._eased.clear()
            await self._eased.wait()
        self._under_way.append(size)

    async def put(self, file: FileToSend, offset: int, data: bytes, size: int) -> Delivered:
        key = file.laid.key
        await _tried(self.to, partial(self.to.calls.put, key, offset, data), file.laid.path)
        self._under_way.remove(len(data))
        self._eased.set()
        self._sent += size
        return Delivered(self.to.name, file.laid.path, self._sent, self._of)


async def _send(wave: Sequence[Delivery], tell: Callable[[Delivered], None]) -> None:
    files: dict[str, FileToSend] = {}
    hosts = []
    for to in wave:
        own = {file.laid.key: file for file in to.manifest.files}
        sizes = {key: file.size for key, file in own.items()}
        lacks = await _tried(to, partial(to.calls.lacks, sizes))
        hosts.append(_Host(to, lacks, sum(sizes[key] - have for key, have in lacks.items())))
        files |= own
    try:
        async with asyncio.TaskGroup() as tasks:
            for key, file in files.items():
                if takers := [host for host in hosts if key in host.lacks]:
                    await _send_file(file, takers, tasks, tell)
    except* CannotRun as failed:
        raise _first(failed) from None


async def _send_file(
    file: FileToSend,
    takers: Sequence[_Host],
    tasks: asyncio.TaskGroup,
    tell: Callable[[Delivered], None],
) -> None:
    """Read a file once, and send each piece to whoever lacks it: the slowest sets the pace."""

    async def put(host: _Host, offset: int, data: bytes, size: int) -> None:
        tell(await host.put(file, offset, data, size))

    key = file.laid.key
    async with aclosing(_pieces(file, min(one.lacks[key] for one in takers))) as pieces:
        async for offset, size, data in pieces:
            for host in takers:
                if host.lacks[key] < offset + size:
                    await host.begin(len(data))
                    tasks.create_task(put(host, offset, data, size))


def _first(failed: BaseExceptionGroup[CannotRun]) -> CannotRun:
    found = failed.exceptions[0]
    return found if isinstance(found, CannotRun) else _first(found)


async def _pieces(file: FileToSend, begin: int) -> AsyncGenerator[tuple[int, int, bytes]]:
    """Yield the packed pieces of a file from one that has `begin` in it, with offset and size.

    Raises:
        CannotRun: It is another file now.
    """
    content, offset = blake2b(digest_size=32), 0
    with closing(await asyncio.to_thread(_opened, file)) as stream:
        while offset < file.size:
            size, data = await asyncio.to_thread(_next, stream, content, offset + CHUNK > begin)
            if not size:
                break
            if offset + size > file.size:
                break
            if offset + size == file.size and content.hexdigest() != file.digest:
                break
            if data:
                yield offset, size, data
            offset += size
    if offset != file.size:
        raise CannotRun(
            f"`{file.laid.path}` changed while it was sent", hint="start the run once it is whole"
        )


def _opened(file: FileToSend) -> BinaryIO:
    try:
        return open_file(file.source, most=MAX_SENT)
    except FileFault as fault:
        raise CannotRun(f"`{file.laid.path}` {fault.message}", hint=fault.hint) from fault


def _next(stream: BinaryIO, content: blake2b, is_wanted: bool) -> tuple[int, bytes]:  # noqa: FBT001 - called in a thread
    piece = stream.read(CHUNK)
    content.update(piece)
    return len(piece), pack(piece) if piece and is_wanted else b""


async def _tried(to: Delivery, call: Callable[[], Awaitable[T]], file: str = "") -> T:
    """Make a call, again and again for a while if it fails.

    Raises:
        CannotRun: It can't be made.
    """
    loop, until = asyncio.get_running_loop(), 0.0
    what = f"`{file}`" if file else "files of the plan"
    while True:
        try:
            return await call()
        except CannotRun as error:
            raise CannotRun(f"{to.name}: {error.message}", hint=error.hint) from error
        except (OSError, TimeoutError) as error:
            until = until or loop.time() + _PATIENCE_S
            if loop.time() >= until:
                raise CannotRun(
                    f"{what} can't be sent to {to.name}: {str(error) or type(error).__name__}",
                    hint="see that the host can be reached, and start the run again",
                ) from error
        await asyncio.sleep(_PAUSE_S)
