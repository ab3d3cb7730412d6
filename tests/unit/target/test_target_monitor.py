"""What is measured beside the load, and what is said when it can't be."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from planrunner.clock import MonotonicClock
from planrunner.graph.run_graph import MonitorNode
from planrunner.language.patterns.pattern import compile_pattern
from planrunner.protocols.base import Exchange
from planrunner.target import monitor as module
from planrunner.target.monitor import Monitors

BUSY = "print('up', flush=True)\nwhile True: pass"
FAMILY = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'x = bytes([1]) * 60_000_000; "
    "print(1, flush=True); import time; time.sleep(60)'], stdout=subprocess.PIPE)\n"
    "child.stdout.readline(); print('up', flush=True); time.sleep(60)"
)
Spawn = Callable[[str], int]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start Python code that says `up`; returns its process id."""
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str, *arguments: str) -> int:
        command = [sys.executable, "-c", code, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        return process.pid

    yield start
    for process in started:
        os.killpg(process.pid, 9)
        process.communicate()


async def never(_: Exchange) -> Any:
    raise AssertionError


def measured(
    node: MonitorNode,
    monkeypatch: pytest.MonkeyPatch,
    *,
    points: int = 2,
    ask: Callable[[Exchange], Any] = never,
) -> Monitors:
    """Watch until each gauge has some values, at most 5 s; sooner than once a second."""
    monkeypatch.setattr(module, "_EVERY_NS", 50_000_000)
    monitors = Monitors([], [node], ask=ask, clock=MonotonicClock())

    async def watch() -> None:
        tasks = [asyncio.ensure_future(watch()) for watch in monitors.watches()]
        try:
            async with asyncio.timeout(5):
                while any(len(found) < points for found in monitors.gauges.values()):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pass
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(error, asyncio.CancelledError) for error in ended)

    asyncio.run(watch())
    return monitors


def last(monitors: Monitors, name: str) -> float:
    return monitors.gauges[name][-1][1]


@pytest.mark.slow
def test_a_process_that_computes_uses_a_processor(
    spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit is one processor: never below nothing, and one thread has no more than one."""
    pid = spawn(BUSY)

    monitors = measured(MonitorNode("app", pid=pid, metrics=("cpu", "rss")), monkeypatch, points=4)

    values = [value for _, value in monitors.gauges["monitor.app.cpu"]]
    assert 0.05 < max(values) < 1.5
    assert min(values) >= 0
    assert 3e6 < last(monitors, "monitor.app.rss") < 1e9
    assert monitors.notices == ()


@pytest.mark.slow
def test_children_count_as_part_of_a_process(spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that works in children is measured whole."""
    pid = spawn(FAMILY)

    monitors = measured(MonitorNode("app", pid=pid, metrics=("rss",)), monkeypatch)

    assert last(monitors, "monitor.app.rss") > 60e6


@pytest.mark.slow
def test_a_command_finds_all_that_run_it(spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a pattern in the whole command line; together they are one gauge."""
    code = "import time; print('up', flush=True); time.sleep(60)  # planrunner-" + str(os.getpid())
    pids = {spawn(code), spawn(code)}
    pattern = compile_pattern(f"planrunner-{os.getpid()}$")

    monitors = measured(MonitorNode("app", command=pattern, metrics=("rss",)), monkeypatch)

    assert set(module._matching(pattern)) == pids
    one = measured(MonitorNode("one", pid=min(pids), metrics=("rss",)), monkeypatch)
    assert last(monitors, "monitor.app.rss") > 1.5 * last(one, "monitor.one.rss")


@pytest.mark.slow
def test_a_process_that_is_gone_leaves_a_notice() -> None:
    """The gauge has no value, which is not a value of nothing."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        process.wait()
        node = MonitorNode("app", pid=process.pid, metrics=("cpu",))

    async def briefly() -> tuple[str, ...]:
        monitors = Monitors([], [node], ask=never, clock=MonotonicClock())
        task = asyncio.ensure_future(monitors.watches()[0]())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return monitors.notices

    assert asyncio.run(briefly()) == ("`monitor.app.cpu` was never measured",)


@pytest.mark.slow
def test_the_host_has_processors_memory_disk_and_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the processors a share of all; of disk and network bytes a second."""
    node = MonitorNode("box", is_host=True, metrics=("cpu", "rss", "net"))

    monitors = measured(node, monkeypatch)

    assert list(monitors.gauges) == ["monitor.box.cpu", "monitor.box.rss", "monitor.box.net"]
    assert 0 <= last(monitors, "monitor.box.cpu") <= 1
    assert last(monitors, "monitor.box.rss") > 1e7
    assert last(monitors, "monitor.box.net") >= 0


def test_counters_become_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """What moved between two looks, a second; a counter that starts anew moved nothing."""
    moved = iter((100, 400, 300))
    host = module._HostMonitor("monitor.box", ("disk",))
    monkeypatch.setattr(host, "_counters", lambda: iter([("disk", next(moved))]))

    found = [host.read(at_ns) for at_ns in (10**9, 2 * 10**9, 3 * 10**9)]

    assert found == [{}, {"monitor.box.disk": 300.0}, {"monitor.box.disk": 0.0}]


def test_processor_time_of_children_that_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a new child used before it was seen is not charged to one moment."""
    used: dict[int, float] = {1: 5.0}
    processes = module._Processes("p", lambda: list(used))
    monkeypatch.setattr(module, "_children", lambda _: [])
    monkeypatch.setattr(module.psutil, "Process", lambda pid: _Fake(used[pid]))

    first = processes.read(10**9)
    used.update({1: 5.5, 2: 40.0})
    second = processes.read(2 * 10**9)
    del used[2]
    used[1] = 6.5
    third = processes.read(3 * 10**9)

    assert first == {"p.rss": 1000}
    assert second == {"p.rss": 2000, "p.cpu": 0.5}
    assert third == {"p.rss": 1000, "p.cpu": 1.0}


class _Fake:
    """A process with as much processor time as is said."""

    def __init__(self, used_s: float) -> None:
        self.user, self.system, self.rss = used_s, 0.0, 1000

    def cpu_times(self) -> _Fake:
        return self

    memory_info = cpu_times


def asking(answers: Sequence[object]) -> Callable[[Exchange], Any]:
    left = iter(answers)

    async def ask(_: Exchange) -> object:
        return next(left, None)

    return ask


QUERY = MonitorNode("heap", query=object(), every_ns=1_000_000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ({"resultType": "vector", "result": [{"metric": {}, "value": [1.5, "42.5"]}]}, 42.5),
        ({"resultType": "scalar", "result": [1.5, "7"]}, 7.0),
    ],
    ids=["vector", "scalar"],
)
def test_a_query_gives_its_first_value(
    monkeypatch: pytest.MonkeyPatch, data: object, value: float
) -> None:
    """Vectors and scalars, as Prometheus writes them."""
    answers = [{"status": "success", "data": data}] * 2

    monitors = measured(QUERY, monkeypatch, ask=asking(answers))

    assert [found for _, found in monitors.gauges["monitor.heap"]][:2] == [value, value]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        {"status": "error", "error": "parse error"},
        {"data": {"resultType": "vector", "result": []}},
        {"data": {"resultType": "vector", "result": [{"value": [1, "no number"]}]}},
    ],
    ids=["nothing", "text", "error", "empty", "no number"],
)
def test_a_query_without_a_value_is_a_notice(answer: object) -> None:
    """The run goes on: the load is what it is about."""

    async def briefly() -> Monitors:
        monitors = Monitors([], [QUERY], ask=asking([answer]), clock=MonotonicClock())
        task = asyncio.ensure_future(monitors.watches()[0]())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return monitors

    monitors = asyncio.run(briefly())

    assert monitors.gauges == {"monitor.heap": []}
    assert monitors.notices == ("`monitor.heap` was never measured: the query gave no value",)
