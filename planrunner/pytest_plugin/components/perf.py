"""The fixture `perf`: measures what calls of a component take, and judges them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, Final, overload

import pytest

from planrunner.errors import PlanrunnerError, UsageError
from planrunner.pytest_plugin.alone import alone
from planrunner.pytest_plugin.component import SIZES
from planrunner.pytest_plugin.components.component_call import (
    ComponentCall,
    MeasuredComponent,
    ReturnedT,
    Work,
)
from planrunner.pytest_plugin.components.data import data_file
from planrunner.pytest_plugin.components.named_plan import graph_of_plan
from planrunner.pytest_plugin.components.sizes import sizes_of
from planrunner.python.benchmarks import benchmark, benchmark_async
from planrunner.python.keywords import TimeLike

__all__ = ["Perf"]

_ITERATIONS: Final = 20
"""Enough for a p95 and, where samples are much alike, for a stable median."""


class Perf:
    """Measures components for one test.

    Args:
        request: The test's.

    Attributes:
        size: Of the test data; where the session asks for several, the one of this test.
        rows: How many records that is.
        iterations: How often each component is measured.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        config = request.config
        self._request = request
        self._item: pytest.Item = request.node
        self.size: str = getattr(request, "param", "") or sizes_of(config)[0]
        self.rows = SIZES[self.size]
        self.iterations: int = config.getoption("perf_iterations") or _ITERATIONS

    @overload
    def __call__(
        self,
        function: Callable[..., Coroutine[Any, Any, ReturnedT]],
        *args: object,
        work: Work = 0,
        unit: str = "",
        limit: TimeLike | None = None,
        name: str = "",
    ) -> MeasuredComponent[ReturnedT]: ...

    @overload
    def __call__(
        self,
        function: Callable[..., ReturnedT],
        *args: object,
        work: Work = 0,
        unit: str = "",
        limit: TimeLike | None = None,
        name: str = "",
    ) -> MeasuredComponent[ReturnedT]: ...

    def __call__(
        self,
        function: Callable[..., Any],
        *args: object,
        work: Work = 0,
        unit: str = "",
        limit: TimeLike | None = None,
        name: str = "",
    ) -> MeasuredComponent[Any]:
        """Measure what a call takes, and fail the test if a threshold of it is broken.

        Args:
            function: The component: a `def`, or an `async def` that gets an event loop.
            *args: Its arguments.
            work: How much a call does, or a function that gets that from what it returned.
            unit: What `work` counts, such as `rows`.
            limit: What the median must be below.
            name: Of the component; the function's own name, with the test's parameters.

        Raises:
            UsageError: An argument can't be, or the name is that of another component.
        """
        __tracebackhide__ = True
        measuring: ComponentCall[Any] = self._begun(function, name, limit)
        if iscoroutinefunction(function):
            if _has_loop():
                hint = "write `await perf.awaited(…)` in a test that is an `async def`"
                raise UsageError(f"`{measuring.name}` can't be called in an event loop", hint=hint)
            asyncio.run(self._await(measuring, args, work, unit))
        else:
            try:
                keywords = measuring.keywords(args, work, unit)
                with alone(self._item.config):
                    measuring.figures = benchmark(
                        function, iterations=self.iterations, warmup=0, **keywords
                    )
            except Exception as error:
                measuring.note_failure(error)
                raise
        return measuring.judged()

    async def awaited(
        self,
        function: Callable[..., Awaitable[ReturnedT]],
        *args: object,
        work: Work = 0,
        unit: str = "",
        limit: TimeLike | None = None,
        name: str = "",
    ) -> MeasuredComponent[ReturnedT]:
        """Measure an `async def` in the event loop that runs; it is otherwise as a call.

        Args:
            function: The component.
            *args: Its arguments.
            work: How much a call does, or a function that gets that from what it returned.
            unit: What `work` counts, such as `rows`.
            limit: What the median must be below.
            name: Of the component; the function's own name, with the test's parameters.

        Raises:
            UsageError: An argument can't be, or the name is that of another component.
        """
        __tracebackhide__ = True
        measuring: ComponentCall[ReturnedT] = self._begun(function, name, limit)
        await self._await(measuring, args, work, unit)
        return measuring.judged()

    def data(
        self,
        source: str | Mapping[str, object],
        *,
        rows: int | None = None,
        format: str = "csv",  # noqa: A002 - as plans call it
        seed: int | None = None,
    ) -> Path:
        """Return a file of generated rows: the same bytes for the same seed.

        Args:
            source: The fields of a row with their expressions, or the name of a data source of
                the plan that `perf_plan` in the ini file names.
            rows: How many; those of the size if left out.
            format: csv, json, jsonl, parquet or avro.
            seed: Of the rows; the plan's if left out, or 0.

        Raises:
            UsageError: There is no such source or format.
            PlanError: A field is not an expression.
            PackageMissing: What writes the format is not installed.
        """
        __tracebackhide__ = True
        count = self.rows if rows is None else rows
        try:
            plan = (
                graph_of_plan(self._item.config, (self.size,)) if isinstance(source, str) else None
            )
            return data_file(self._request, source, plan=plan, rows=count, form=format, seed=seed)
        except PlanrunnerError as error:
            raise error.with_traceback(None) from None

    def _begun(
        self, function: Callable[..., Any], name: str, limit: TimeLike | None
    ) -> ComponentCall[Any]:
        __tracebackhide__ = True
        try:
            return ComponentCall(self._item, function, size=self.size, name=name, limit=limit)
        except PlanrunnerError as error:
            raise error.with_traceback(None) from None

    async def _await(
        self, measuring: ComponentCall[Any], args: tuple[object, ...], work: Work, unit: str
    ) -> None:
        __tracebackhide__ = True
        try:
            keywords = measuring.keywords(args, work, unit)
            with alone(self._item.config):
                measuring.figures = await benchmark_async(
                    measuring.function, iterations=self.iterations, warmup=0, **keywords
                )
        except Exception as error:
            measuring.note_failure(error)
            raise


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
