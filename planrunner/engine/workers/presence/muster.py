"""Before the run: every worker has to be there, with the same plan."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from planrunner.engine.workers.messages import Broken, Ready, fingerprint
from planrunner.engine.workers.worker_state import WorkerHandle
from planrunner.errors import CannotRun, UsageError
from planrunner.graph.run_graph import RunGraph

__all__ = ["muster"]

_READY_S: Final = 120


async def muster(graph: RunGraph, handles: Sequence[WorkerHandle]) -> None:
    """Wait until every worker has compiled the plan.

    Raises:
        CannotRun: One can't, or has compiled another one.
        UsageError: The plan asks for what there is not.
    """
    try:
        async with asyncio.timeout(_READY_S):
            for handle in handles:
                await _ready(handle, fingerprint(graph))
    except TimeoutError as error:
        raise CannotRun(f"the workers were not ready after {_READY_S} s") from error


async def _ready(handle: WorkerHandle, expected: str) -> None:
    try:
        message = await handle.transport.receive()
    except EOFError as error:
        raise CannotRun(f"{handle.name} {await handle.fate()}") from error
    match message:
        case Ready() if message.fingerprint == expected:
            return
        case Broken(is_asked=True):
            raise UsageError(message.words, hint=message.hint)
        case Broken():
            raise CannotRun(f"{handle.name} can't run: {message.words}", hint=message.hint)
        case _:
            raise CannotRun(
                f"{handle.name} has compiled a different plan from the coordinator's",
                hint="run the plan again: a file that it names has changed in the meantime",
            )
