"""One function, bound: how it is called, and what a call of it came to."""

from __future__ import annotations

import asyncio
import inspect
from copy import deepcopy
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Any, Final

from planrunner.errors import UsageError
from planrunner.protocols.base import Evaluate, Scope
from planrunner.protocols.python.clients.context import CONTEXT, SayLine, context_of, takes_context
from planrunner.protocols.python.clients.imports import Function
from planrunner.protocols.python.operation import PythonOperation
from planrunner.protocols.rules import shorten
from planrunner.units import NS_PER_S

__all__ = [
    "BoundFunction",
    "Done",
    "How",
    "TimeUpError",
    "Within",
    "awaited_in_row",
    "called_in_row",
    "is_async",
    "is_awaitable",
    "no_batch",
    "raised",
]

_SHARED: Final = (list, dict, tuple)
_MOST_WORDS: Final = 1000


class How(StrEnum):
    """Where a function is called."""

    INLINE = "inline"
    ASYNC = "async"
    THREAD = "thread"
    PROCESS = "process"


class BoundFunction:
    """A function with what a plan says of its calls.

    Attributes:
        calls: How many make a sample; None where they are still to be found out.
        is_quick: Called in the loop, once a sample: the hot path.
    """

    __slots__ = (
        "arguments",
        "calls",
        "function",
        "has_context",
        "how",
        "is_quick",
        "name",
        "operation",
        "target",
        "timeout_ns",
    )

    def __init__(self, operation: PythonOperation, function: Function, timeout_ns: int) -> None:
        self.name = operation.function
        self.operation = operation
        self.function = function
        self.arguments: tuple[tuple[str, Evaluate], ...] = operation.arguments
        self.target = operation.target
        self.has_context = takes_context(function)
        self.how = _how(operation, function)
        self.calls = operation.calls
        self.is_quick = self.how in (How.INLINE, How.ASYNC) and self.calls == 1
        self.timeout_ns = timeout_ns
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise UsageError(
                f"`{self.name}` is a generator: calling it runs nothing until its caller reads it",
                hint="name a function that reads it to its end and returns a list",
            )
        if self.how is How.PROCESS and self.has_context:
            raise UsageError(
                f"`{self.name}` has a parameter `context`, which is of this process",
                hint="remove `isolate: process`, or the parameter",
            )

    def given(self, scope: Scope, tell: SayLine) -> dict[str, Any]:
        """Return the arguments for a user.

        Raises:
            EvaluationError: One of them has no value.
        """
        given: dict[str, Any] = {}
        for name, evaluate in self.arguments:
            value = evaluate(scope)
            given[name] = deepcopy(value) if isinstance(value, _SHARED) else value
        if self.has_context:
            given[CONTEXT] = context_of(scope, tell)
        return given


def _how(operation: PythonOperation, function: Function) -> How:
    if operation.is_isolated:
        return How.PROCESS
    if is_async(function):
        return How.ASYNC
    return How.INLINE if operation.is_inline else How.THREAD


def is_async(function: Function) -> bool:
    """Say whether calling it gives something to await."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - whether calling it gives a coroutine
    )


def called_in_row(function: Function, given: dict[str, Any], calls: int) -> object:
    """Call a plain function so many times; returns what the last call returned."""
    value: object = None
    call = partial(function, **given) if given else function
    for _ in range(calls):
        value = call()
    return value


async def awaited_in_row(function: Function, given: dict[str, Any], calls: int) -> object:
    """Call a coroutine function so many times, each awaited before the next one."""
    value: object = None
    call = partial(function, **given) if given else function
    for _ in range(calls):
        value = await call()
    return value


class TimeUpError(Exception):
    """A function took longer than the plan allows; its own `TimeoutError` is another thing."""


class Within:
    """Cancels what is in its block when the time is up, and raises `TimeUpError` then."""

    __slots__ = ("_timeout",)

    def __init__(self, limit_ns: int) -> None:
        self._timeout = asyncio.timeout(limit_ns / NS_PER_S)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as over:
            raise TimeUpError from over
        # Timers may be a millisecond early: a function that heeds no cancellation can end in time.
        if kind is None and self._timeout.expired():
            raise TimeUpError


def raised(name: str, error: BaseException) -> str:
    """Return in words that a function raised."""
    try:
        told = f"{type(error).__name__}: {error}".removesuffix(": ")
    except BaseException:  # noqa: BLE001 - its own `__str__` is code of the plan's author too
        told = type(error).__name__
    return f"`{name}` raised {shorten(told, _MOST_WORDS)}"


def is_awaitable(value: object) -> bool:
    """Say whether a plain function returned what is still to be awaited."""
    return hasattr(value, "__await__")


def no_batch(name: str) -> str:
    """Say what is wrong where a batch of calls only made things to await."""
    return f"`{name}` returns what must be awaited: a batch of it needs an `async def`"


class Done:
    """What one or more calls of a function came to.

    Attributes:
        asked_ns: When the user asked.
        began_ns: When the first call began, and `ended_ns` when the last one was done.
        value: What the last one returned.
        error: What one of them raised; or what was wrong, in words.
        collections: Garbage collections meanwhile.
        cpu_ns: What the process used of a processor; None where it is everybody's.
        peak_rss: The most memory that it had; likewise.
    """

    __slots__ = (
        "asked_ns",
        "began_ns",
        "collections",
        "cpu_ns",
        "ended_ns",
        "error",
        "peak_rss",
        "value",
    )

    def __init__(self, asked_ns: int) -> None:
        self.asked_ns = self.began_ns = self.ended_ns = asked_ns
        self.collections = 0
        self.value: object = None
        self.error: BaseException | str | None = None
        self.cpu_ns: int | None = None
        self.peak_rss: int | None = None
