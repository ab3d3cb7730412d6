"""One function, bound: how it is called, and what a call of it did."""

from __future__ import annotations

import inspect
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any, Final

from planrunner.protocols.base import Evaluate, Scope
from planrunner.protocols.python.clients.context import CONTEXT, SayLine, context_of, takes_context
from planrunner.protocols.python.clients.imports import Function
from planrunner.protocols.python.operation import PythonOperation

__all__ = ["BoundFunction", "ThreadCall", "is_async", "raised"]

_SHARED: Final = (list, dict, tuple)


class BoundFunction:
    """A function with what a plan says of its call.

    Attributes:
        in_loop: It is called in the loop: it is `async`, or `inline`.
    """

    __slots__ = ("arguments", "function", "has_context", "in_loop", "name", "target", "timeout_ns")

    def __init__(self, operation: PythonOperation, function: Function, timeout_ns: int) -> None:
        self.name = operation.function
        self.function = function
        self.arguments: tuple[tuple[str, Evaluate], ...] = operation.arguments
        self.target = operation.target
        self.has_context = takes_context(function)
        self.in_loop = operation.is_inline or is_async(function)
        self.timeout_ns = timeout_ns

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


def is_async(function: Function) -> bool:
    """Say whether calling it gives something to await."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - whether calling it gives a coroutine
    )


def raised(name: str, error: BaseException) -> str:
    """Return in words that a function raised."""
    try:
        told = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - its own `__str__` is code of the plan's author too
        told = type(error).__name__
    return f"`{name}` raised {told}"


class ThreadCall:
    """One call in a thread.

    Attributes:
        began_ns: When the thread came to it, and `ended_ns` when the function was done; 0 until.
        error: What it raised.
        collections: Garbage collections meanwhile.
        done: Completed in the loop.
    """

    __slots__ = (
        "_count",
        "_function",
        "_given",
        "_loop",
        "_now",
        "began_ns",
        "collections",
        "done",
        "ended_ns",
        "error",
        "value",
    )

    def __init__(
        self,
        function: Function,
        given: dict[str, Any],
        *,
        loop: AbstractEventLoop,
        now: Callable[[], int],
        count: Callable[[], int],
    ) -> None:
        self._function, self._given = function, given
        self._loop, self._now, self._count = loop, now, count
        self.began_ns = self.ended_ns = self.collections = 0
        self.value: object = None
        self.error: BaseException | None = None
        self.done: Future[None] = loop.create_future()

    def __call__(self) -> None:
        before, self.began_ns = self._count(), self._now()
        try:
            self.value = self._function(**self._given)
        except BaseException as error:  # noqa: BLE001 - the boundary: no function ends the thread
            self.error = error
        self.ended_ns = self._now()
        self.collections = self._count() - before
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
