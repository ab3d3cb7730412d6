"""Gauges beside the load: processor and memory of services, processes and this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil

from planrunner.clock import Clock
from planrunner.graph.run_graph import MonitorNode
from planrunner.language.patterns.pattern import MatchTimeoutError, Pattern
from planrunner.protocols.base import Exchange
from planrunner.target.service import RunningService
from planrunner.units import NS_PER_S

__all__ = ["Ask", "Monitors"]

Ask = Callable[[Exchange], Awaitable[Any]]
"""Sends one request and returns the JSON of its reply, None when there is none."""

ReadGauge = Callable[[int], Mapping[str, float]]
"""Returns the values at a moment (clock time in ns)."""

_EVERY_NS: Final = NS_PER_S


class Monitors:
    """Everything that is measured of the system under test; `watches` has the work to do.

    Attributes:
        gauges: By the names that thresholds know, in order of time, in base units: a share of one
            processor, bytes, bytes a second; of this machine's `cpu` a share of all processors.
    """

    def __init__(
        self,
        services: Sequence[RunningService],
        nodes: Sequence[MonitorNode],
        *,
        ask: Ask,
        clock: Clock,
    ) -> None:
        self.gauges: dict[str, list[tuple[int, float]]] = {}
        self._ask = ask
        self._clock = clock
        self._asked = [(node, node.query) for node in nodes if node.query is not None]
        self._missing: dict[str, str] = {}
        self._reads = [*_reads_of(services), *_reads_of_monitors(nodes)]
        for service in services:
            self._expect(f"service.{service.node.name}.{m}" for m in service.node.monitor)
        for node in nodes:
            self._expect(node.gauges)

    def _expect(self, names: Any) -> None:  # noqa: ANN401 - any iterable
        self.gauges.update((name, []) for name in names)

    @property
    def notices(self) -> tuple[str, ...]:
        """Say which gauges never had a value."""
        return tuple(
            f"`{name}` was never measured{self._missing.get(name, '')}"
            for name, points in self.gauges.items()
            if not points
        )

    def watches(self) -> list[Callable[[], Any]]:
        """Return coroutine functions that measure until they are cancelled."""
        asked = [partial(self._watch_query, node, query) for node, query in self._asked]
        return [*([self._watch] if self._reads else []), *asked]

    async def _watch(self) -> None:
        due_ns = self._clock.now_ns()
        while True:
            now_ns = self._clock.now_ns()
            # Reading /proc takes milliseconds, which requests must not wait for.
            values = await asyncio.to_thread(self._read_all, now_ns)
            for name, value in values.items():
                if name in self.gauges:
                    self.gauges[name].append((now_ns, value))
            due_ns = max(due_ns + _EVERY_NS, now_ns)
            await self._clock.sleep_until(due_ns)

    def _read_all(self, now_ns: int) -> dict[str, float]:
        values: dict[str, float] = {}
        for read in self._reads:
            values.update(read(now_ns))
        return values

    async def _watch_query(self, node: MonitorNode, query: Exchange) -> None:
        name = node.gauges[0]
        due_ns = self._clock.now_ns()
        while True:
            now_ns = self._clock.now_ns()
            value = _first_value(await self._ask(query))
            if value is None:
                self._missing[name] = ": the query gave no value"
            else:
                self.gauges[name].append((now_ns, value))
            due_ns = max(due_ns + node.every_ns, now_ns)
            await self._clock.sleep_until(due_ns)


def _first_value(answer: Any) -> float | None:  # noqa: ANN401 - JSON
    """Return the first sample of a Prometheus reply; a vector, a scalar or nothing.

    Source: Prometheus, "HTTP API", expression query result formats.
    """
    with suppress(KeyError, IndexError, TypeError, ValueError):
        data = answer["data"]
        found = data["result"] if data["resultType"] == "scalar" else data["result"][0]["value"]
        return float(found[1])
    return None


def _reads_of(services: Sequence[RunningService]) -> Iterator[ReadGauge]:
    for service in services:
        if service.node.monitor:
            yield _Processes(f"service.{service.node.name}", partial(_only, service.pid)).read


def _reads_of_monitors(nodes: Sequence[MonitorNode]) -> Iterator[ReadGauge]:
    for node in nodes:
        prefix = f"monitor.{node.name}"
        if node.is_host:
            yield _HostMonitor(prefix, node.metrics).read
        elif node.pid:
            yield _Processes(prefix, partial(_only, node.pid)).read
        elif node.command is not None:
            yield _Processes(prefix, partial(_matching, node.command)).read


def _only(pid: int) -> list[int]:
    return [pid]


def _matching(pattern: Pattern) -> list[int]:
    """Return the processes whose command line the pattern is found in; never ourselves."""
    own = psutil.Process().pid
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if process.pid != own and _is_in(" ".join(process.info["cmdline"] or ()), pattern)
    ]


def _is_in(command: str, pattern: Pattern) -> bool:
    with suppress(MatchTimeoutError):
        return pattern.is_in(command)
    return False


class _Processes:
    """Processor time and memory of some processes and their children, together."""

    def __init__(self, prefix: str, roots: Callable[[], list[int]]) -> None:
        self._cpu, self._rss = f"{prefix}.cpu", f"{prefix}.rss"
        self._roots = roots
        self._used_s: dict[int, float] = {}
        self._at_ns = 0

    def read(self, now_ns: int) -> Mapping[str, float]:
        used_s: dict[int, float] = {}
        rss = 0
        for pid in _with_children(self._roots()):
            with suppress(psutil.Error):
                process = psutil.Process(pid)
                times = process.cpu_times()
                used_s[pid] = times.user + times.system
                rss += process.memory_info().rss
        before, self._used_s = self._used_s, used_s
        took_ns, self._at_ns = now_ns - self._at_ns, now_ns
        if not used_s:
            return {}
        if not before:
            return {self._rss: rss}
        spent_s = sum(used - before.get(pid, used) for pid, used in used_s.items())
        return {self._rss: rss, self._cpu: spent_s * NS_PER_S / took_ns}


def _with_children(roots: list[int]) -> list[int]:
    found: dict[int, None] = {}
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found[pid] = None
            waiting += _children(pid)
    return list(found)


def _children(pid: int) -> list[int]:
    """Return the children of a process; Linux lists them, elsewhere all processes are looked at."""
    tasks = Path(f"/proc/{pid}/task")
    with suppress(OSError, ValueError):
        return [
            int(child)
            for task in tasks.iterdir()
            for child in (task / "children").read_text("ascii").split()
        ]
    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


class _HostMonitor:
    """This machine: the load generator and everything else on it."""

    def __init__(self, prefix: str, metrics: Sequence[str]) -> None:
        self._prefix = prefix
        self._metrics = metrics
        self._moved: dict[str, int] = {}
        self._at_ns = 0
        psutil.cpu_percent()  # the first call has nothing to compare with

    def read(self, now_ns: int) -> Mapping[str, float]:
        took_s = (now_ns - self._at_ns) / NS_PER_S
        is_first, self._at_ns = not self._at_ns, now_ns
        values: dict[str, float] = {}
        if "rss" in self._metrics:
            values["rss"] = psutil.virtual_memory().used
        if "cpu" in self._metrics and not is_first:
            values["cpu"] = psutil.cpu_percent() / 100
        for name, moved in self._counters():
            before = self._moved.get(name)
            self._moved[name] = moved
            if before is not None:
                values[name] = max(0, moved - before) / took_s
        return {f"{self._prefix}.{name}": value for name, value in values.items()}

    def _counters(self) -> Iterator[tuple[str, int]]:
        if "disk" in self._metrics and (disk := psutil.disk_io_counters()) is not None:
            yield "disk", disk.read_bytes + disk.write_bytes
        if "net" in self._metrics:
            net = psutil.net_io_counters()
            yield "net", net.bytes_sent + net.bytes_recv
