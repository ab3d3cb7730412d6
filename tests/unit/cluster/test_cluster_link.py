"""A coordinator's end and an agent's, with real processes of workers and calls that may fail."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from planrunner.clock import MonotonicClock
from planrunner.cluster import link as link_module
from planrunner.cluster.agent import HostAgent
from planrunner.cluster.host_facts import HostFacts, own_facts
from planrunner.cluster.link import HostLost, Link
from planrunner.cluster.sample_copy import SampleCopy
from planrunner.engine.workers.messages import Shift
from planrunner.errors import CannotRun
from planrunner.schedule.partition import WorkerShare
from planrunner.units import NS_PER_MS

ECHO = "tests.support.echo_worker"
ELSEWHERE = replace(own_facts(), name="hosta")

SIZE = 1_500_000
"""Bytes: more than come back at once."""

Faults = Callable[[str, int], BaseException | None]


class Shaky:
    """An agent whose calls fail as `faults` says, before or after they have done their work."""

    def __init__(self, agent: HostAgent, before: Faults, after: Faults) -> None:
        self._agent = agent
        self._before = before
        self._after = after
        self._calls: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: object) -> object:
            number = self._calls[name] = self._calls.get(name, 0) + 1
            if (fault := self._before(name, number)) is not None:
                raise fault
            answer = await getattr(self._agent, name)(*arguments)
            if (fault := self._after(name, number)) is not None:
                raise fault
            return answer

        return call


def well(name: str, number: int) -> BaseException | None:
    del name, number
    return None


def linked(
    use: Callable[[Link, HostAgent], Coroutine[Any, Any, Any]],
    before: Faults = well,
    after: Faults = well,
    lease_s: float = 15,
    facts: HostFacts = ELSEWHERE,
) -> Any:
    async def live() -> Any:
        agent = HostAgent(ECHO, lease_s)
        calls: Any = Shaky(agent, before, after)
        link = Link(calls, facts, here=own_facts(), now_ns=MonotonicClock.now_ns)
        await link.open()
        try:
            async with asyncio.timeout(30):
                return await use(link, agent)
        finally:
            await link.close()
            await agent.close()

    return asyncio.run(live())


async def echoes(link: Link, agent: HostAgent) -> list[object]:
    await agent.start({number: WorkerShare(number, 2) for number in range(2)})
    said: list[object] = []
    for number in range(2):
        transport = link.transport(number)
        for text in ("a", "b" * 100_000, number):
            transport.send(text)
        said += [await transport.receive() for _ in range(3)]
    return said


WANTED = ["a", "b" * 100_000, 0, "a", "b" * 100_000, 1]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [OSError, TimeoutError])
def test_messages_arrive_once_whatever_calls_fail(when: str, fault: type[Exception]) -> None:
    """Every second call fails: before it reached the host, or on its way back."""

    def half(name: str, number: int) -> BaseException | None:
        return fault(name) if name in ("deliver", "collect") and number % 2 else None

    assert linked(echoes, **{when: half}) == WANTED


def test_workers_are_told_when_their_clock_differs_by_something_else() -> None:
    """At the next beat; how wrong theirs is until they have followed is known too."""

    async def use(link: Link, agent: HostAgent) -> tuple[object, int]:
        asked, before_ns = agent.beat, link.clock_facts.offset_ns

        async def beat() -> int:
            return await asked() - 10 * NS_PER_MS  # it was suspended

        agent.beat = beat  # type: ignore[method-assign]
        await agent.start({0: WorkerShare(0, 1)})
        shift = await link.transport(0).receive()
        assert isinstance(shift, Shift)
        return shift.offset_ns - before_ns, link.clock_facts.error_ns

    by_ns, error_ns = linked(use, facts=replace(ELSEWHERE, time="another clock"))

    assert 0 < by_ns < NS_PER_MS
    assert 9 * NS_PER_MS < error_ns < 100 * NS_PER_MS


def test_a_worker_that_ends_says_how() -> None:
    """And the other one goes on."""

    async def use(link: Link, agent: HostAgent) -> tuple[str, object]:
        await agent.start({number: WorkerShare(number, 2) for number in range(2)})
        first, second = link.transport(0), link.transport(1)
        first.send("exit 7")
        with pytest.raises(EOFError):
            await first.receive()
        second.send("still here")
        return await first.fate(), await second.receive()

    assert linked(use) == ("died: it exited with code 7", "still here")


def test_a_lost_host_ends_all_its_workers() -> None:
    """At once if its process is known to be gone."""

    def lost(name: str, number: int) -> BaseException | None:
        return (
            HostLost("died: its Dask worker has ended") if (name, number) == ("beat", 22) else None
        )

    async def use(link: Link, agent: HostAgent) -> tuple[str, str]:
        await agent.start({0: WorkerShare(0, 1)})
        with pytest.raises(EOFError):
            await link.transport(0).receive()
        return await link.transport(0).fate(), link.lost

    assert linked(use, before=lost) == ("died: its Dask worker has ended",) * 2


def test_a_silent_host_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no beat was answered for long enough."""
    monkeypatch.setattr(link_module, "_SILENT_S", 0.3)

    def cut_off(name: str, number: int) -> BaseException | None:
        del name
        return OSError("no route") if number > 20 else None

    async def use(link: Link, agent: HostAgent) -> str:
        await agent.start({0: WorkerShare(0, 1)})
        return await link.transport(0).fate()

    assert linked(use, before=cut_off) == "could not be reached for 0 s"


async def started(agent: HostAgent) -> psutil.Process:
    name = (await agent.start({0: WorkerShare(0, 1)}))[0]
    return psutil.Process(int(name.rpartition(" ")[2].strip(")")))


async def gone(process: psutil.Process) -> None:
    async with asyncio.timeout(10):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.02)


def test_workers_end_with_an_agent_that_nobody_wants() -> None:
    """As that of a coordinator that was killed."""

    async def live() -> None:
        agent = HostAgent(ECHO)
        process = await started(agent)
        crew = agent._crew
        del agent
        await gone(process)
        await crew.ended()

    asyncio.run(live())


def test_workers_end_when_no_beat_comes() -> None:
    """Nothing is heard of a coordinator that was cut off; a beat that comes too late is refused."""

    async def live() -> None:
        agent = HostAgent(ECHO, 0.3)
        process = await started(agent)
        await gone(process)
        with pytest.raises(CannotRun, match="not heard in time"):
            await agent.beat()
        await agent.close()

    asyncio.run(live())


def test_samples_are_copied_as_far_as_they_are(tmp_path: Path) -> None:
    """Rows never before the words that say what they mean; nothing twice, whatever fails."""
    here = [tmp_path / f"samples-1{suffix}" for suffix in (".jsonl", ".bin")]

    def some(name: str, number: int) -> BaseException | None:
        return OSError(name) if name in ("part", "sizes") and number % 3 == 0 else None

    async def copied(copy: SampleCopy) -> None:
        while True:
            try:
                return await copy.copy()
            except OSError:
                words, rows = (one.stat().st_size if one.exists() else 0 for one in here)
                assert rows <= words * SIZE // 10

    async def use(link: Link, agent: HostAgent) -> None:
        folder = Path(await agent.folder())
        there, copy = [folder / one.name for one in here], SampleCopy(link.agent, tmp_path)
        for _ in range(3):
            for path, data in zip(there, (b"w" * 10, os.urandom(SIZE)), strict=True):
                with path.open("ab") as out:
                    out.write(data)
            await copied(copy)
            assert [one.read_bytes() for one in here] == [one.read_bytes() for one in there]

    linked(use, after=some)
