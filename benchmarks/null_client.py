"""An HTTP client that answers by itself, to measure everything else.

`python -m benchmarks.null_client execute PLAN …` is the command line with this client in it;
`python -m benchmarks.null_client --worker DESCRIPTOR` is one of its workers. Each process adds a
line to the file `NULL_CLIENT_CPU` with the processor time that it took while load ran.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from planrunner.cli.group import run
from planrunner.clock import Clock
from planrunner.engine.workers import remote_pool
from planrunner.graph.run_graph import RunGraph
from planrunner.protocols.base import Exchange, Reply, Scope
from planrunner.runner import api
from planrunner.runner import worker_main as worker
from planrunner.runner.workers import started

run_module = importlib.import_module(
    "planrunner.engine.coordinator.coordinator"
)  # the package has a function `run`


class Turn:
    """Lets others have a turn, as waiting for a server would."""

    def __await__(self) -> Generator[None, None, None]:
        yield


TURN = Turn()


class NullSession:
    """Answers 200 with 51 bytes after a turn of the event loop."""

    def __init__(self, now_ns) -> None:
        self._now_ns = now_ns
        self._reply = reply = Reply()
        reply.status, reply.received, reply.sent = 200, 51, 60

    async def send(self, bound: object, scope: Scope) -> Reply:
        for part in bound:
            if callable(part):
                part(scope)
        reply = self._reply
        reply.asked_ns = reply.sent_ns = self._now_ns()
        await TURN
        reply.first_byte_ns = reply.ended_ns = self._now_ns()
        return reply

    def set_header(self, name: str, value: str | None) -> None:
        pass

    def lanes(self, count: int) -> Sequence[NullSession]:
        return [self] * count

    async def close(self) -> None:
        pass


class Meter:
    """The processor time of this process from the begin of the load."""

    began_ns: int | None = None

    @classmethod
    def start(cls) -> None:
        if cls.began_ns is None:
            cls.began_ns = time.process_time_ns()

    @classmethod
    def write(cls) -> None:
        if cls.began_ns is not None:
            cls.add(time.process_time_ns() - cls.began_ns)
            cls.began_ns = None

    @classmethod
    def add(cls, taken_ns: int) -> None:
        if path := os.environ.get("NULL_CLIENT_CPU"):
            with Path(path).open("a") as out:
                out.write(f"{taken_ns}\n")


class NullClient:
    """The `Client` of one worker; templates of the URL are evaluated, and nothing is sent."""

    def __init__(self, settings: object, clock: Clock) -> None:
        del settings
        self._clock = clock

    def bind(self, exchange: Exchange) -> object:
        return exchange.operation.url.parts

    def session(self) -> NullSession:
        Meter.start()
        return NullSession(self._clock.now_ns)

    def sweep(self, now_ns: int) -> None:
        pass

    async def close(self) -> None:
        Meter.write()


class MeteredPool(remote_pool.RemotePool):
    """Measures the coordinator as well, and a cluster that it has started."""

    def start(self, *arguments: object) -> None:
        Meter.start()
        self.cluster_ns = cluster_cpu_ns()
        super().start(*arguments)

    async def dismiss(self) -> None:
        Meter.write()
        Meter.add(cluster_cpu_ns() - self.cluster_ns)
        await super().dismiss()


def cluster_cpu_ns() -> int:
    """Return the processor time of all processes of this one that aren't workers of planrunner."""
    taken = 0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if not any("null_" in word for word in process.cmdline()):
                times = process.cpu_times()
                taken += int((times.user + times.system) * 1e9)
    return taken


def factories(graph: RunGraph) -> dict:
    return dict.fromkeys(graph.clients, NullClient)


def main() -> None:
    api.client_factories = worker.client_factories = factories
    if sys.argv[1:2] == ["--worker"]:
        del sys.argv[1]
        worker.main()
        return
    run_module.RemotePool = MeteredPool
    command = (sys.executable, "-m", "benchmarks.null_client", "--worker")
    started.worker_command = lambda: command
    started.WORKER_MODULE = "benchmarks.null_worker"
    with socket.create_server(("127.0.0.1", 0)) as listening:  # what `execute` looks for first
        port = listening.getsockname()[1]
        sys.exit(run([*sys.argv[1:], "--set", f"port={port}"]))


if __name__ == "__main__":
    main()
