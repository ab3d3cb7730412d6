"""The part of a run graph about the system under test: services and monitors."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from planrunner.graph.steps import Evaluate
from planrunner.language.diagnostics import Span
from planrunner.language.patterns.pattern import Pattern
from planrunner.protocols.base import Exchange
from planrunner.protocols.command_words import Word
from planrunner.units import NS_PER_MS, NS_PER_S
from planrunner.values import dataclass

__all__ = ["AUTO_PORT", "MonitorNode", "ReadyNode", "ServiceNode"]

# Stands for `port: auto` where nothing is started: a port that no URL has by chance.
AUTO_PORT: Final = 1


@dataclass(frozen=True, slots=True)
class ReadyNode:
    """When a service is ready: exactly one of `get`, `tcp`, `grpc` and `log` says.

    Attributes:
        tcp: `host:port`; empty when it isn't that.
        grpc: The same, and perhaps a service behind a slash.
    """

    get: Exchange | None = None
    tcp: str = ""
    grpc: str = ""
    log: Pattern | None = None
    every_ns: int = 500 * NS_PER_MS
    timeout_ns: int = 30 * NS_PER_S


@dataclass(frozen=True, slots=True)
class ServiceNode:
    """Something to start before the load.

    Attributes:
        demo: The name of an embedded server; empty for a command.
        port: Where it listens; 0 when the plan doesn't say, `AUTO_PORT` before one is chosen.
        command: Program and arguments; expressions read `run`.
        scratch: A directory of its own, which goes when the service does.
        monitor: What to measure of it: `cpu`, `rss`.
    """

    name: str
    demo: str
    port: int
    span: Span
    command: tuple[Word, ...] = ()
    shown: str = ""
    directory: Path = Path()
    environment: tuple[tuple[str, Evaluate], ...] = ()
    ready: ReadyNode | None = None
    stop_signal: str = "TERM"
    grace_ns: int = 10 * NS_PER_S
    scratch: Path | None = None
    monitor: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MonitorNode:
    """Something to measure beside the load: one of Prometheus, a process, this machine.

    Attributes:
        query: The request that asks a Prometheus server.
        pid: A process, with its children; 0 when it isn't that.
        command: Finds processes by their command line.
        metrics: What to measure of processes, or of the machine.
    """

    name: str
    query: Exchange | None = None
    pid: int = 0
    command: Pattern | None = None
    is_host: bool = False
    metrics: tuple[str, ...] = ()
    every_ns: int = NS_PER_S

    @property
    def gauges(self) -> tuple[str, ...]:
        """The names that thresholds know."""
        if self.query is not None:
            return (f"monitor.{self.name}",)
        return tuple(f"monitor.{self.name}.{metric}" for metric in self.metrics)
