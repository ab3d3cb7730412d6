"""Whatever fails, and wherever: nothing of a cluster is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planrunner.cluster.cluster_workers import ClusterPlan, cluster_workers
from planrunner.cluster.dask_cluster import DaskNode
from planrunner.cluster.host_facts import own_facts
from planrunner.cluster.link import HostLost, Link, link_to
from planrunner.cluster.software import own_software
from planrunner.compiler import GraphSource, PlanSelection
from planrunner.engine.workers.messages import Assignment, Broken
from planrunner.engine.workers.presence.muster import muster
from planrunner.engine.workers.transport import Transport
from planrunner.errors import CannotRun, PlanrunnerError, UsageError
from planrunner.plan.loader import load
from planrunner.schedule.partition import WorkerShare
from tests.support.plans import plan_text
from tests.support.remote_clusters import MemoryAgent, MemoryCluster, Serve
from tests.support.virtual_time import VirtualClock, run_virtual

PLAN = """
data: {people: {csv: people.csv, per: iteration}}
users: {u: {steps: [{get: "/${people.name}"}]}}
phases: [{users: 1, iterations: 2}]
"""


def source_in(folder: Path) -> GraphSource:
    """Return what workers make the graph of a plan from that needs a file."""
    (folder / "people.csv").write_text("name\nann\n")
    path = folder / "plan.yaml"
    path.write_text(plan_text("http: {base_url: 'http://localhost'}", PLAN))
    plan = load(str(path), environ={}, need_secrets=True)
    return GraphSource(plan.bundle, plan.sources, PlanSelection(), 3, {}, folder)


State = Callable[[Link, MemoryAgent], Awaitable[None]]


async def idle(share: WorkerShare, there: Transport, clock: object) -> None:
    while True:
        await there.receive()


async def broken(share: WorkerShare, there: Transport, clock: object) -> None:
    there.send(Broken("`a.csv` has no row"))


def left() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


class _Hosts(MemoryCluster):
    """Two hosts, one of which has something else than it should, or fails."""

    def __init__(self, serve: Serve = idle, **facts: str) -> None:
        super().__init__(2, serve)
        self._facts_of_last = facts

    async def place(self, node: DaskNode, module: str) -> Any:
        agent = await super().place(node, module)
        if node.host == "host1":
            agent._facts = replace(agent._facts, **self._facts_of_last)
        return agent


class _Other(_Hosts):
    """The last one has other software."""

    def __init__(self, **versions: str) -> None:
        super().__init__()
        self._software = replace(own_software(), **versions) if versions else None

    async def nodes(self) -> Sequence[DaskNode]:
        first, last = await super().nodes()
        return [first, replace(last, software=self._software)]


class _Unplaced(_Hosts):
    """The last one fails at once, while the first one is still at it."""

    async def place(self, node: DaskNode, module: str) -> Any:
        if node.host == "host1":
            raise CannotRun("it can't be made")
        return await super().place(node, module)


class _Late(_Unplaced):
    """The first one would be made after the last one has failed."""

    async def place(self, node: DaskNode, module: str) -> Any:
        if node.host == "host0":
            await asyncio.sleep(1)
        return await super().place(node, module)


class _Failing(_Hosts):
    """A call fails on the last host, each time."""

    def __init__(self, name: str, error: Exception, **facts: str) -> None:
        super().__init__(**facts)
        self._name, self._error = name, error

    async def place(self, node: DaskNode, module: str) -> Any:
        agent = await super().place(node, module)

        async def fail(*_: object) -> None:
            raise self._error

        if node.host == "host1":
            setattr(agent, self._name, fail)
        return agent


GONE = HostLost("died: its Dask worker has ended")
HOST1 = "the Dask worker host1"
ONLY_HOST1 = "the Dask worker on host1 can't be reached: "


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: _Other(planrunner="0.1"), CannotRun, f"{HOST1} has planrunner 0.1, and this is"),
        (lambda: _Other(planrunner=""), CannotRun, f"{HOST1} has no planrunner"),
        (lambda: _Other(python="2.7.18"), CannotRun, f"{HOST1} has Python 2.7, and this is 3."),
        (lambda: _Other(distributed="1.2"), CannotRun, f"{HOST1} has distributed 1.2, and this"),
        (_Other, CannotRun, f"{HOST1} does not say its versions"),
        (_Unplaced, CannotRun, "it can't be made"),
        (_Late, CannotRun, "it can't be made"),
        (lambda: _Hosts(network="other"), UsageError, "`http://localhost` is this machine"),
        (lambda: _Hosts(broken), CannotRun, "worker 1 of 3 on host0 can't run: `a.csv` has no"),
        (lambda: _Failing("facts", GONE), CannotRun, "the Dask worker host1 can't be reached"),
        (lambda: _Failing("beat", OSError("no route")), CannotRun, f"{ONLY_HOST1}no route"),
        (lambda: _Failing("sees", GONE), CannotRun, f"{ONLY_HOST1}died"),
        (lambda: _Failing("start", OSError("full")), CannotRun, f"{ONLY_HOST1}full"),
        (lambda: _Failing("start", CannotRun("no memory")), CannotRun, "no memory"),
        pytest.param(
            lambda: _Failing("lacks", OSError("full"), machine="other"),
            CannotRun,
            "files of the plan can't be sent to host1: full",
            marks=pytest.mark.slow,
        ),
    ],
    ids=[
        "version",
        "no planrunner",
        "Python",
        "Dask",
        "no word",
        "unplaced",
        "placed late",
        "loopback",
        "plan",
        "facts",
        "beat",
        "mark",
        "start",
        "no start",
        "files",
    ],
)
def test_a_cluster_is_left_as_it_was(
    make: Callable[[], _Hosts], error: type[PlanrunnerError], words: str, tmp_path: Path
) -> None:
    """When anything fails half-way: all agents that did something are closed, no task goes on."""
    source, runs = source_in(tmp_path), tmp_path / "runs"
    runs.mkdir()
    graph = source.compile()
    plan = ClusterPlan(3, "", graph, source, {}, runs, lambda _: 0, loopback=["http://localhost"])

    async def main() -> None:
        hosts = make()
        with pytest.raises(error) as raised:
            async with cluster_workers(hosts, plan, VirtualClock().now_ns) as crew:
                await muster(graph, crew.handles)
        assert raised.value.message.startswith(words)
        assert not left()
        opened = [agent for agent in hosts.agents if agent.was_called]
        assert [agent for agent in opened if not agent.is_closed] == []
        await asyncio.sleep(60)
        assert not left()
        assert not list(runs.iterdir())

    run_virtual(main())


def test_hosts_that_are_called_the_same_are_told_apart(tmp_path: Path) -> None:
    """By their addresses; or the figures of one would be the other's as well."""

    class Copies(MemoryCluster):
        async def place(self, node: DaskNode, module: str) -> Any:
            agent = await super().place(node, module)
            agent._facts = replace(agent._facts, name="vm")
            return agent

    source = source_in(tmp_path)
    plan = ClusterPlan(0, "", source.compile(), source, {}, tmp_path, lambda _: 0)

    async def main() -> list[str]:
        async with cluster_workers(Copies(2, idle), plan, VirtualClock().now_ns) as crew:
            return [f"{worker.name}: {worker.host}" for worker in crew.handles]

    assert run_virtual(main()) == [
        "worker 1 of 2 on vm (host0): vm (host0)",
        "worker 2 of 2 on vm (host1): vm (host1)",
    ]


async def unopened(link: Link, agent: MemoryAgent) -> None:
    """It was made."""


async def half_open(link: Link, agent: MemoryAgent) -> None:
    opening = asyncio.create_task(link.open())
    await asyncio.sleep(0.02)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)


async def opened(link: Link, agent: MemoryAgent) -> None:
    await link.open()
    await asyncio.sleep(1)


async def working(link: Link, agent: MemoryAgent) -> None:
    await link.open()
    await link.asked(agent.start, {0: WorkerShare(0, 1)})
    link.transport(0).send(Assignment(WorkerShare(0, 1), {}, None, link.offset_ns))
    await asyncio.sleep(1)


async def killing(link: Link, agent: MemoryAgent) -> None:
    await working(link, agent)
    link.kill(0)


async def hanging(link: Link, agent: MemoryAgent) -> None:
    async def never(*_: object) -> Any:
        await asyncio.sleep(1_000_000)

    await working(link, agent)
    agent.collect = agent.deliver = agent.beat = agent.kill = agent.close = never  # type: ignore[method-assign]
    link.kill(0)
    await asyncio.sleep(5)


async def lost(link: Link, agent: MemoryAgent) -> None:
    await hanging(link, agent)
    await asyncio.sleep(20)
    assert link.lost == "could not be reached for 10 s"


async def failed(link: Link, agent: MemoryAgent) -> None:
    async def wrong(*_: object) -> Any:
        return 99, ["parcels that follow others"]

    await working(link, agent)
    agent.collect = wrong  # type: ignore[method-assign]
    await asyncio.sleep(5)
    assert link.lost == "failed: ValueError: parcel 1 is missing: 99 came (a bug in planrunner)"


async def closed_before(link: Link, agent: MemoryAgent) -> None:
    await working(link, agent)
    await link.close()


@pytest.mark.parametrize(
    "state",
    [unopened, half_open, opened, working, killing, hanging, lost, failed, closed_before],
    ids=lambda state: state.__name__,
)
def test_a_closed_link_leaves_nothing(
    state: Callable[[Link, MemoryAgent], Awaitable[None]],
) -> None:
    """No task, and nobody who waits for a word of a worker: not even from before it was closed."""

    async def main() -> None:
        agent = MemoryAgent(0, idle, replace(own_facts(), time="another"))
        now_ns = VirtualClock().now_ns
        link = await link_to(agent, "host0", here=own_facts(), now_ns=now_ns)
        heard = asyncio.create_task(link.transport(0).receive())
        fate = asyncio.create_task(link.transport(0).fate())
        await state(link, agent)
        await link.close()
        async with asyncio.timeout(1):
            [ended] = await asyncio.gather(heard, return_exceptions=True)
            assert isinstance(ended, EOFError)
            assert await fate == link.lost
            assert await link.transport(1).fate() == link.lost  # asked for later
        assert not left() - set(agent.tasks.values())

    run_virtual(main())
