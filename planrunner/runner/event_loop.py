"""What every process that sends load is made of: its event loop, and its clients."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from planrunner.graph.run_graph import RunGraph
from planrunner.protocols import registry
from planrunner.protocols.base import ClientFactory

__all__ = ["client_factories", "command_of", "run_on_fast_loop", "worker_command"]

T = TypeVar("T")


def run_on_fast_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end: on uvloop where it exists, three times as fast on sockets."""
    if sys.platform != "win32":
        with suppress(ImportError):
            import uvloop  # noqa: PLC0415 - not everywhere

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(main)
    return asyncio.run(main)


def command_of(module: str) -> tuple[str, ...]:
    """Return the command that calls a module's `main` in a new interpreter.

    It imports from where this one does, and not from the current directory just because it is that.
    """
    code = f"import sys; sys.path[:] = {sys.path!r}; from {module} import main; sys.exit(main())"
    return (sys.executable, "-P", "-c", code)


def worker_command() -> tuple[str, ...]:
    """Return the command that starts a worker; the descriptor of its socket follows.

    Asked at each run: packages that a plan needs may have been found since this was imported.
    """
    return command_of("planrunner.runner.worker_main")


def client_factories(graph: RunGraph) -> dict[str, ClientFactory]:
    """Return what opens the client of each channel that the plan uses."""
    return {
        channel: registry.client_factory(channel, name)
        for channel, (name, _) in graph.clients.items()
    }
