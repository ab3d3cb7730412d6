"""What is started and measured around the load, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planrunner.graph.run_graph import MonitorNode, ReadyNode, RunGraph, ServiceNode
from planrunner.graph.target import AUTO_PORT
from planrunner.units import write_duration

__all__ = ["target_words"]

_MOST_SHOWN: Final = 70


def target_words(graph: RunGraph) -> Iterator[str]:
    """Yield the services in the order of their start, then the monitors."""
    for service in graph.services:
        yield f"starts service {service.name}: {_short(service.shown)}"
        yield from (f"  {line}" for line in _service(service))
    for monitor in graph.monitors:
        yield f"watches {monitor.name}: {_monitor(monitor)}"


def _short(command: str) -> str:
    words = " ".join(command.split())
    return words if len(words) <= _MOST_SHOWN else f"{words[: _MOST_SHOWN - 1]}…"


def _service(service: ServiceNode) -> Iterator[str]:
    if service.port:
        yield f"listens on port {'auto' if service.port == AUTO_PORT else service.port}"
    if (ready := service.ready) is not None:
        yield f"waits up to {write_duration(ready.timeout_ns)} until {_ready(ready)}"
    if service.monitor:
        yield f"measures its {' and '.join(service.monitor)}"


def _ready(ready: ReadyNode) -> str:
    if ready.get is not None:
        return "its URL answers as expected"
    if ready.log is not None:
        return f"it prints `{ready.log.pattern}`"
    return "its port accepts connections"


def _monitor(monitor: MonitorNode) -> str:
    metrics = " and ".join(monitor.metrics)
    if monitor.is_host:
        return f"{metrics} of this machine"
    if monitor.query is not None:
        return f"a Prometheus query every {write_duration(monitor.every_ns)}"
    if monitor.command is not None:
        return f"{metrics} of processes that match `{monitor.command.pattern}`"
    return f"{metrics} of process {monitor.pid}"
