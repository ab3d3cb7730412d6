"""The process of one user: calls functions that are asked for, and says what that took.

Started by `isolated`. Requests come as pickles on the standard input and answers leave on what was
the standard output; what functions print goes to the standard error.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Final

from planrunner.errors import PlanrunnerError
from planrunner.protocols.python.clients.call import (
    awaited_in_row,
    called_in_row,
    is_async,
    is_awaitable,
    no_batch,
    raised,
)
from planrunner.protocols.python.clients.collections import CollectionCount
from planrunner.protocols.python.clients.imports import Function, PlanCode
from planrunner.protocols.python.operation import PythonOperation

__all__ = ["main"]

_LOOK_S: Final = 0.5
"""Between two looks at whether the process that asks is still there."""

_FRAME: Final = 4


def main() -> int:
    """Answer until nobody asks any more."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    caller, own = _Caller(), os.getpid()
    for request in _requests(asked):
        answer = caller.answer(*request)
        if os.getpid() != own:  # the function forked, and this is what it left behind
            os._exit(0)
        answers.write(len(answer).to_bytes(_FRAME, "big") + answer)
        answers.flush()
    return 0


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


def _requests(stream: BinaryIO) -> Iterator[tuple[Any, ...]]:
    while len(head := stream.read(_FRAME)) == _FRAME:
        yield pickle.loads(stream.read(int.from_bytes(head, "big")))


class _Caller:
    def __init__(self) -> None:
        self._code = PlanCode()
        self._count = CollectionCount()
        self._functions: dict[str, Function] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def answer(self, operation: PythonOperation, given: dict[str, Any] | None, calls: int) -> bytes:
        """Import a function, or call it; returns a pickle of what came of it."""
        try:
            function = self._function(operation)
        except PlanrunnerError as error:
            return pickle.dumps((error.message, None, 0, 0, 0, 0, 0))
        if given is None:
            return pickle.dumps(("", None, 0, 0, 0, 0, 0))
        told, value, *numbers = self._called(operation.function, function, given, calls)
        try:
            return pickle.dumps((told, value if operation.keeps_value else None, *numbers))
        except Exception as error:  # noqa: BLE001 - what a value does when it is pickled
            told = f"`{operation.function}` returned what can't leave its process: {error}"
            return pickle.dumps((told, None, *numbers))

    def _function(self, operation: PythonOperation) -> Function:
        function = self._functions.get(operation.function)
        if function is None:
            function = self._functions[operation.function] = self._code.function(operation)
        return function

    def _called(
        self, name: str, function: Function, given: dict[str, Any], calls: int
    ) -> tuple[Any, ...]:
        told, value = "", None
        _forget_peak()
        before, used_ns = self._count.number, time.process_time_ns()
        began_ns = time.perf_counter_ns()
        try:
            if is_async(function):
                value = self._own_loop().run_until_complete(awaited_in_row(function, given, calls))
            else:
                value = called_in_row(function, given, calls)
            if is_awaitable(value) and calls == 1:
                value = self._own_loop().run_until_complete(_awaited(value))
            elif is_awaitable(value):
                told, value = no_batch(name), None
        except BaseException as error:  # noqa: BLE001 - the boundary: no function ends the process
            told = raised(name, error)
        ended_ns = time.perf_counter_ns()
        used_ns = time.process_time_ns() - used_ns
        return told, value, began_ns, ended_ns, used_ns, _peak(), self._count.number - before

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop


async def _awaited(value: Any) -> object:  # noqa: ANN401 - what a function returned
    return await value


def _forget_peak() -> None:
    """Let the peak of memory begin anew, where Linux lets us; elsewhere it is that of the process.

    Source: "5" in proc_pid_clear_refs(5).
    """
    with suppress(OSError), open("/proc/self/clear_refs", "wb", buffering=0) as file:  # noqa: PTH123
        file.write(b"5")


def _peak() -> int:
    """Return the most bytes of memory that the process had."""
    with suppress(OSError), open("/proc/self/status", "rb") as file:  # noqa: PTH123
        for line in file:
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415 - not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
