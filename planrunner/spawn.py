"""Starting processes: from any event loop, also while another one of this process starts one."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from types import coroutine
from typing import Any, Final, TypeVar

__all__ = ["command_of", "spawn"]

T = TypeVar("T")

_FORKING: Final = Lock()


def command_of(module: str) -> tuple[str, ...]:
    """Return the command that calls a module's `main` in a new interpreter.

    It imports from where this one does, and not from the current directory just because it is that.
    No garbage is collected meanwhile: it would take an eighth of the time, and find nothing.
    """
    code = (
        f"import gc, sys; sys.path[:] = {sys.path!r}; gc.disable(); from {module} import main; "
        "gc.enable(); sys.exit(main())"
    )
    return (sys.executable, "-P", "-c", code)


async def spawn(*command: str, **options: Any) -> Process:  # noqa: ANN401 - as asyncio has them
    """Start a process as `asyncio.create_subprocess_exec` does.

    uvloop refuses to fork while a loop in another thread does.

    Raises:
        OSError: It can't be started.
    """
    return await _begun_alone(asyncio.create_subprocess_exec(*command, **options))


@coroutine
def _begun_alone(work: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Run a coroutine whose first step, which is where loops fork, no other thread takes too."""
    steps: Generator[Any, Any, T] = work.__await__()
    step: Callable[[Any], Any] = steps.send
    given: object = None
    lock: AbstractContextManager[object] = _FORKING
    while True:
        try:
            with lock:
                waited = step(given)
        except StopIteration as end:
            result: T = end.value
            return result
        lock = nullcontext()
        try:
            given = yield waited
            step = steps.send
        except GeneratorExit:
            work.close()
            raise
        except BaseException as error:  # noqa: BLE001 - a cancellation is the coroutine's
            step, given = steps.throw, error
