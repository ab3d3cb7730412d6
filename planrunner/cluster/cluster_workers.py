"""The workers of a run on the hosts of a cluster: placed, supplied, started, never left behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import field, replace
from pathlib import Path
from time import monotonic
from typing import Any, Final, Protocol, TypeVar

from planrunner.cluster.agent import LEASE_S, AgentCalls
from planrunner.cluster.dask_cluster import DaskNode
from planrunner.cluster.files.chunks import LaidFile
from planrunner.cluster.files.sending import Delivered, Delivery, bring, packed
from planrunner.cluster.host_facts import HostFacts, own_facts
from planrunner.cluster.link import HostLost, Link, LinkTransport, ended, link_to
from planrunner.cluster.sample_copy import SampleCopy
from planrunner.compiler.source import GraphSource
from planrunner.engine.workers.messages import Assignment
from planrunner.engine.workers.worker_state import ClockFacts
from planrunner.errors import CannotRun, UsageError
from planrunner.graph.run_graph import RunGraph
from planrunner.plan.host_files import HostFiles
from planrunner.schedule.partition import WorkerShare
from planrunner.units import format_count, format_size
from planrunner.values import dataclass

__all__ = [
    "ClusterCrew",
    "ClusterPlan",
    "ClusterWorker",
    "Nodes",
    "cluster_workers",
]

T = TypeVar("T")

_LAST_S: Final = 2.0
"""What a worker gets to end by itself once there is nothing more to do."""

_COPY_S: Final = 1.0
_FILES_S: Final = 60.0
_START_S: Final = 60.0
_JOIN_S: Final = 2.0


class Nodes(Protocol):
    """A cluster, as far as workers are placed on it."""

    async def nodes(self) -> Sequence[DaskNode]: ...
    async def addresses(self) -> frozenset[str]: ...
    async def place(self, node: DaskNode, module: str) -> AgentCalls: ...


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """What is to run on a cluster.

    Attributes:
        workers: How many; 0 for one on each Dask worker.
        module: Its `main` is the process of a worker.
        graph: What runs.
        source: What workers make it from.
        names: What users see as `run`.
        directory: Of the run.
        open_files: How many each of so many workers needs.
        loopback: Targets that are this machine to whoever asks for them.
        only_here: What of the plan can't be on another host, in words; empty for nothing.
        copies_samples: Whether raw samples come back while the load runs.
        tell: Called with what may take long, a sentence each.
    """

    workers: int
    module: str
    graph: RunGraph = field(repr=False)
    source: GraphSource = field(repr=False)
    names: Mapping[str, object]
    directory: Path
    open_files: Callable[[int], int]
    loopback: Sequence[str] = ()
    only_here: str = ""
    copies_samples: bool = True
    tell: Callable[[str], None] = lambda _: None


class _StoreCalls:
    """The store of a host, at the other end of a link."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def lacks(self, sizes: Mapping[str, int]) -> Mapping[str, int]:
        return await self._asked(self._link.agent.lacks, sizes)

    async def put(self, key: str, offset: int, data: bytes) -> int:
        return await self._asked(self._link.agent.put, key, offset, data)

    async def lay_out(self, files: Sequence[LaidFile], folders: Sequence[str]) -> str:
        return await self._asked(self._link.agent.lay_out, files, folders)

    async def _asked(self, ask: Callable[..., Awaitable[T]], *arguments: object) -> T:
        try:
            return await self._link.call(ask, *arguments, seconds=_FILES_S)
        except HostLost as error:
            words = f"files of the plan can't be sent to {self._link.facts.name}: {error}"
            raise CannotRun(words) from error


class ClusterWorker:
    """One worker on a host of a cluster, as a `WorkerHandle`."""

    def __init__(self, name: str, number: int, *, link: Link, samples: SampleCopy | None) -> None:
        self.name = name
        self.host = link.facts.name
        self.transport: Final[LinkTransport] = link.transport(number)
        self._number = number
        self._link = link
        self._samples = samples

    @property
    def clock(self) -> ClockFacts:
        return self._link.clock_facts

    async def fate(self) -> str:
        return await self.transport.fate()

    def kill(self) -> None:
        self._link.kill(self._number)

    async def close(self) -> None:
        if not await self._has_ended():
            self.kill()
            await self._has_ended()
        if self._samples is not None and not self._link.lost:
            with suppress(HostLost):
                await self._copied(self._samples)

    async def _has_ended(self) -> bool:
        try:
            async with asyncio.timeout(_LAST_S):
                await self.fate()
        except TimeoutError:
            return False
        return True

    async def _copied(self, samples: SampleCopy) -> None:
        while not self._link.lost:
            try:
                await samples.copy()
            except (OSError, TimeoutError):
                await asyncio.sleep(_COPY_S)
            else:
                return


class ClusterCrew:
    """All workers of a run.

    Attributes:
        handles: In the order of their numbers.
        notices: What is to be said of the cluster when the run is over.
    """

    def __init__(self, handles: Sequence[ClusterWorker]) -> None:
        self.handles = handles
        self.notices: list[str] = []


@asynccontextmanager
async def cluster_workers(
    cluster: Nodes, plan: ClusterPlan, now_ns: Callable[[], int]
) -> AsyncIterator[ClusterCrew]:
    """Start workers on the hosts of a cluster; they are gone at the end of the block.

    Raises:
        CannotRun: A host can't run them.
        UsageError: The plan can't run there.
    """
    nodes = await cluster.nodes()
    for node in nodes:
        if (fault := node.fault) is not None:
            raise fault
    count = plan.workers or len(nodes)
    used = nodes[:count]
    here = own_facts()
    links: list[Link] = []

    async def reach(node: DaskNode) -> Link:
        agent = await cluster.place(node, plan.module)
        link = await link_to(agent, node.address, here=here, now_ns=now_ns)
        links.append(link)
        await link.open()
        return link

    try:
        links[:] = await _all(*map(reach, used))
        _name_apart(links, used)
        hosts = [link.facts for link in links]
        _check_loopback(plan.loopback, hosts, here)
        _check_open_files(plan.open_files(count), hosts)
        copies = await _sample_copies(links, plan)
        sources = await _sources(links, plan, count, here)
        handles = await _started(links, copies, sources, plan, count)
        crew = ClusterCrew(handles)
        async with _beside(
            [_copying(copy) for copy in copies if copy is not None and plan.copies_samples]
            + [_joining(cluster, frozenset(node.address for node in nodes), crew)]
        ):
            yield crew
        crew.notices += dict.fromkeys(copy.loss for copy in copies if copy and copy.loss)
    finally:
        await asyncio.gather(*(link.close() for link in links))


async def _all(*works: Coroutine[Any, Any, T]) -> list[T]:
    """Do all; when one fails, none goes on behind the back of whoever asked."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await ended(*tasks)


def _name_apart(links: Sequence[Link], nodes: Sequence[DaskNode]) -> None:
    """Give hosts that are called the same, as copies of one machine are, their address too."""
    clocks: dict[str, set[str]] = {}
    for link in links:
        clocks.setdefault(link.facts.name, set()).add(link.facts.time)
    for link, node in zip(links, nodes, strict=True):
        name = link.facts.name
        if len(clocks[name]) > 1:
            link.facts = replace(link.facts, name=f"{name} ({node.host})")


def _check_loopback(targets: Sequence[str], hosts: Sequence[HostFacts], here: HostFacts) -> None:
    elsewhere = next((host for host in hosts if not host.hears_loopback_of(here)), None)
    if targets and elsewhere is not None:
        raise UsageError(
            f"`{targets[0]}` is this machine, and {elsewhere.name} would load itself",
            hint="name the target as the other hosts reach it, or use workers of this machine",
        )


def _check_open_files(wanted: int, hosts: Sequence[HostFacts]) -> None:
    for host in hosts:
        if host.open_files and host.open_files < wanted:
            raise CannotRun(
                f"a worker needs {wanted:,} open files, and on {host.name} it may have "
                f"{host.open_files:,}",
                hint=f"raise the hard limit there (`ulimit -Hn {wanted}`) before `dask worker` "
                "starts, use more workers, or run fewer users",
            )


async def _sample_copies(links: Sequence[Link], plan: ClusterPlan) -> Sequence[SampleCopy | None]:
    """Return what brings samples back; None for a host that writes into the run's directory."""
    with _mark_in(plan.directory) as (mark, content):
        sees = [await link.asked(link.agent.sees, str(mark), content) for link in links]
    blind = [link.facts.name for link, has in zip(links, sees, strict=True) if not has]
    if blind and plan.only_here:
        raise UsageError(
            f"{plan.only_here}, and {blind[0]} does not see the run's directory",
            hint="use workers of this machine, or let all hosts share the directory",
        )
    return [
        None if has else SampleCopy(link.agent, plan.directory)
        for link, has in zip(links, sees, strict=True)
    ]


@contextmanager
def _mark_in(directory: Path) -> Iterator[tuple[Path, str]]:
    mark, content = directory.absolute() / f".{os.urandom(8).hex()}", os.urandom(16).hex()
    mark.write_text(content, "utf-8")
    try:
        yield mark, content
    finally:
        mark.unlink(missing_ok=True)


async def _sources(
    links: Sequence[Link], plan: ClusterPlan, count: int, here: HostFacts
) -> Sequence[GraphSource]:
    """Return what the workers of each host make the graph from, with the files they need there."""
    away = [place for place, link in enumerate(links) if not link.facts.sees_files_of(here)]
    sources = [plan.source.on(HostFiles.here())] * len(links)
    if not away:
        return sources
    numbers = [range(place, count, len(links)) for place in range(len(links))]
    told = _Shipping(plan.tell)
    async with packed(plan.source, plan.graph, numbers) as manifests:
        deliveries = [
            Delivery(
                links[place].facts.name,
                links[place].facts.machine,
                _StoreCalls(links[place]),
                manifests[place],
            )
            for place in away
        ]
        for place, files in zip(away, await bring(deliveries, told), strict=True):
            sources[place] = plan.source.on(files)
    return sources


class _Shipping:
    """Says how far files are, when that takes longer than a moment."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._next_s = monotonic() + _COPY_S

    def __call__(self, now: Delivered) -> None:
        if monotonic() >= self._next_s:
            self._next_s = monotonic() + _COPY_S
            done = f"{format_size(now.bytes)} of {format_size(now.of)}"
            self._tell(f"sending files of the plan to {now.host}: {done}")


async def _started(
    links: Sequence[Link],
    copies: Sequence[SampleCopy | None],
    sources: Sequence[GraphSource],
    plan: ClusterPlan,
    count: int,
) -> Sequence[ClusterWorker]:
    hosts = format_count(len(links), "Dask worker")
    plan.tell(f"starting {format_count(count, 'worker')} on {hosts}")
    handles: dict[int, ClusterWorker] = {}
    for place, (link, copy, source) in enumerate(zip(links, copies, sources, strict=True)):
        shares = {number: WorkerShare(number, count) for number in range(place, count, len(links))}
        called = await link.asked(link.agent.start, shares, seconds=_START_S)
        # A worker starts in a folder of its own, so the path is a whole one.
        own = str(plan.directory.absolute())
        folder = own if copy is None else await link.asked(link.agent.folder)
        for number, share in shares.items():
            name = f"{called[number]} on {link.facts.name}"
            handles[number] = worker = ClusterWorker(name, number, link=link, samples=copy)
            worker.transport.folder = folder
            worker.transport.send(
                Assignment(
                    share,
                    plan.names,
                    source,
                    clock_offset_ns=link.offset_ns,
                    lease_s=LEASE_S,
                )
            )
    return [handles[number] for number in range(count)]


@asynccontextmanager
async def _beside(works: Sequence[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(work) for work in works]
    try:
        yield
    finally:
        await ended(*tasks)


async def _copying(samples: SampleCopy) -> None:
    while not samples.loss:
        await asyncio.sleep(_COPY_S)
        with suppress(OSError, TimeoutError):
            await samples.copy()


async def _joining(cluster: Nodes, known: frozenset[str], crew: ClusterCrew) -> None:
    """Say it once when Dask workers come that take no part."""
    while True:
        await asyncio.sleep(_JOIN_S)
        with suppress(OSError, TimeoutError):
            if joined := sorted(await cluster.addresses() - known):
                crew.notices.append(
                    f"Dask workers that joined while the run went on took no part in it: "
                    f"{', '.join(joined)}"
                )
                return
