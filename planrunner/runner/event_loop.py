"""What every process that sends load is made of: processors, files, event loop, and clients."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from planrunner.graph.run_graph import RunGraph
from planrunner.protocols import registry
from planrunner.protocols.base import ClientFactory
from planrunner.spawn import command_of

__all__ = [
    "OWN_DESCRIPTORS",
    "WORKER_MODULE",
    "client_factories",
    "run_on_fast_loop",
    "worker_command",
]

T = TypeVar("T")

WORKER_MODULE: Final = "planrunner.runner.worker_main"
"""Its `main` is the process of a worker."""

# Python, the event loop, sample files, reports and the resolver's sockets.
OWN_DESCRIPTORS: Final = 64
"""What a process has open beside the connections of its users."""


def run_on_fast_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end: on uvloop where it exists, three times as fast on sockets."""
    if sys.platform != "win32":
        with suppress(ImportError):
            import uvloop  # noqa: PLC0415 - not everywhere

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(main)
    return asyncio.run(main)


def worker_command() -> tuple[str, ...]:
    """Return the command that starts a worker; the descriptor of its socket follows.

    Asked at each run: packages that a plan needs may have been found since this was imported.
    """
    return command_of(WORKER_MODULE)


def client_factories(graph: RunGraph) -> dict[str, ClientFactory]:
    """Return what opens the client of each channel that the plan uses."""
    return {
        channel: registry.client_factory(channel, name)
        for channel, (name, _) in graph.clients.items()
    }
