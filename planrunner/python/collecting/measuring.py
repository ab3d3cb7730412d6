"""What a collector measures of a program: a block, or each call of a function."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import isasyncgenfunction, iscoroutine, iscoroutinefunction, isgeneratorfunction
from types import TracebackType
from typing import Any, Protocol, TypeVar, cast

from planrunner.errors import UsageError
from planrunner.timing.later import works_later
from planrunner.units import NS_PER_S

__all__ = ["Measuring", "RecordsCalls"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class RecordsCalls(Protocol):
    """What a collector does with what was measured."""

    def record(self, name: str, seconds: float, work: float | None, *, unit: str) -> None: ...
    def error(self, name: str, *, seconds: float, reason: str) -> None: ...


class Measuring:
    """One block that is measured, or a function of which each call is."""

    __slots__ = ("_began_ns", "_collector", "_unit", "_work", "name")

    def __init__(self, collector: RecordsCalls, name: str, work: float | None, unit: str) -> None:
        self._collector = collector
        self.name = name
        self._work = work
        self._unit = unit
        self._began_ns = 0

    def __enter__(self) -> None:
        self._began_ns = time.perf_counter_ns()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = (time.perf_counter_ns() - self._began_ns) / NS_PER_S
        if error is None:
            self._collector.record(self.name, seconds, self._work, unit=self._unit)
        elif isinstance(error, Exception):  # else the program ends, or its task is cancelled
            reason = f"{type(error).__name__}: {error}"
            self._collector.error(self.name, seconds=seconds, reason=reason)

    def __call__(self, function: FunctionT) -> FunctionT:
        """Return the function with each of its calls measured.

        Raises:
            UsageError: It is a generator: its calls do nothing yet. A call that returns one
                raises this too.
        """
        if isgeneratorfunction(function) or isasyncgenfunction(function):
            raise _not_done(function, self.name)

        def measuring() -> Measuring:
            return Measuring(self._collector, self.name, self._work, self._unit)

        @wraps(function)
        def measured(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - as the function has them
            block = measuring()
            block.__enter__()
            try:
                returned = function(*args, **named)
            except BaseException as error:
                block.__exit__(type(error), error, None)
                raise
            return _awaited(block, returned) if iscoroutine(returned) else _ended(block, returned)

        @wraps(function)
        async def awaited(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
            with measuring():
                return await function(*args, **named)

        return cast("FunctionT", awaited if iscoroutinefunction(function) else measured)


async def _awaited(block: Measuring, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - as the function has it
    """Await what a call has returned, which is measured until then."""
    try:
        returned = await work
    except BaseException as error:
        block.__exit__(type(error), error, None)
        raise
    return _ended(block, returned)


def _ended(block: Measuring, returned: Any) -> Any:  # noqa: ANN401 - as above
    if works_later(returned):
        raise _not_done(returned, block.name)
    block.__exit__(None, None, None)
    return returned


def _not_done(what: object, name: str) -> UsageError:
    called = getattr(what, "__name__", type(what).__name__)
    hint = f'measure the loop that goes through it: `with c.measure("{name}"):`'
    return UsageError(f"`{called}` is a generator, which does its work later", hint=hint)
