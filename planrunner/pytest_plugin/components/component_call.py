"""One call of `perf`: what it is called, what it came to, and whether that is good enough."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import perf_counter_ns
from types import FrameType
from typing import Any, Final, Generic, TypeVar

import pytest

from planrunner.errors import PlanrunnerError, UsageError
from planrunner.metrics.thresholds.selector import quoted
from planrunner.pytest_plugin.broken import broken_words
from planrunner.pytest_plugin.component import Component, WrittenThreshold
from planrunner.pytest_plugin.components.session_run import baseline_of, values_of
from planrunner.pytest_plugin.components.sizes import sizes_of
from planrunner.pytest_plugin.components.thresholds import judge, parsed, thresholds_of
from planrunner.pytest_plugin.notes import note_component
from planrunner.python.keywords import BenchmarkKeywords, TimeLike
from planrunner.python.results.benchmark_result import Benchmark
from planrunner.python.results.elapsed import nanoseconds
from planrunner.results.model import Judgement
from planrunner.timing.spread import spread_of
from planrunner.timing.stability import judge_stability
from planrunner.units import write_duration

__all__ = ["ComponentCall", "MeasuredComponent", "ReturnedT", "Work"]

ReturnedT = TypeVar("ReturnedT")

Work = float | Callable[[Any], float]

_OWN: Final = "planrunner."
_NAMES: Final = pytest.StashKey[dict[tuple[str, str], pytest.Item]]()
_CALLS: Final = pytest.StashKey[set[str]]()


class MeasuredComponent(Generic[ReturnedT]):
    """What came of measuring a component.

    Attributes:
        value: What its first call returned.
        figures: What its calls took: `med`, `p95`, `throughput`, `stable` and others.
    """

    def __init__(self, value: ReturnedT, figures: Benchmark) -> None:
        self.value = value
        self.figures = figures

    def __repr__(self) -> str:
        return repr(self.figures)


class ComponentCall(Generic[ReturnedT]):
    """A component while it is measured.

    Args:
        item: The test.
        function: The component.
        size: Of the test data.
        name: What it is called; empty for the function's own name.
        limit: What the median must be below, beside the thresholds of the ini file.

    Attributes:
        figures: What its calls took; set by whoever measures it.

    Raises:
        UsageError: It has no name, or that of another component, or a threshold or the
            baseline can't be read.
    """

    figures: Benchmark

    def __init__(
        self,
        item: pytest.Item,
        function: Callable[..., Any],
        *,
        size: str,
        name: str,
        limit: TimeLike | None,
    ) -> None:
        __tracebackhide__ = True
        self._item = item
        self._size = size
        self.function = function
        self._has_case = len(sizes_of(item.config)) > 1
        self.name = name or _own_name(function, item, size if self._has_case else "")
        self._place = _place_of(inspect.currentframe())
        self._started = datetime.now(UTC).timestamp()
        self._began_ns = perf_counter_ns()
        self._value: list[ReturnedT] = []
        self._thresholds = [*thresholds_of(item.config, size)]
        self._baseline = values_of(baseline_of(item.config))
        if limit is not None:
            longest = write_duration(nanoseconds(limit, "limit"))
            sentence = f"med of {quoted(self.name)} < {longest}"
            self._thresholds.append(parsed((sentence, self._place)))
        _take_name(self.name, size, item)

    def keywords(self, args: tuple[object, ...], work: Work, unit: str) -> BenchmarkKeywords:
        """Return what `benchmark` is asked; on the way, what the first call returns is kept."""

        def work_of(returned: Any) -> float:  # noqa: ANN401 - as the function has it
            self._value.append(returned)
            return work(returned) if callable(work) else work

        return {"args": args, "name": self.name, "unit": unit, "work": work_of}

    def note_failure(self, error: Exception) -> None:
        """Note that the component raised, and take frames of planrunner from the traceback."""
        if not isinstance(error, PlanrunnerError):
            failure = f"{type(error).__name__}: {error}"
            elapsed_ns = perf_counter_ns() - self._began_ns
            note_component(self._item, self._component(failure=failure, elapsed_ns=elapsed_ns))
        trace = error.__traceback__
        while trace and str(trace.tb_frame.f_globals.get("__name__")).startswith(_OWN):
            trace = trace.tb_next
        error.__traceback__ = trace

    def judged(self) -> MeasuredComponent[ReturnedT]:
        """Return what it came to, unless a threshold of it is broken: then the test fails."""
        __tracebackhide__ = True
        measured = self._measured()
        judgements = judge(measured, self._thresholds, self._baseline)
        broken = [one for one in judgements if one.verdict.fails_the_run]
        judged = replace(measured, thresholds=_written(judgements), broken=_written(broken))
        note_component(self._item, judged)
        if broken:
            shown = f"{self.name}: {self.figures.med} ± {self.figures.mad}"
            said = f"{shown}, {measured.stability.words}"
            pytest.fail("\n".join([*map(broken_words, broken), said]))
        return MeasuredComponent(self._value[0], self.figures)

    def _measured(self) -> Component:
        figures = self.figures
        samples_ns = tuple(one.ns for one in figures.samples)
        found = judge_stability(spread_of(samples_ns), figures.machine)
        return replace(
            self._component(),
            work=figures.work,
            unit=figures.unit,
            samples_ns=samples_ns,
            batch=figures.batch,
            reasons=found.reasons,
            needed=found.needed,
        )

    def _component(self, *, failure: str = "", elapsed_ns: int = 0) -> Component:
        return Component(
            self.name,
            self._size,
            self._item.nodeid,
            self._started,
            failure=failure,
            elapsed_ns=elapsed_ns,
            has_case=self._has_case,
        )


def _written(judgements: Iterable[Judgement]) -> tuple[WrittenThreshold, ...]:
    return tuple((one.threshold, one.place) for one in judgements)


def _own_name(function: Callable[..., Any], item: pytest.Item, case: str) -> str:
    """Return the function's name, with the parameters of the test but for its case."""
    while isinstance(function, partial):
        function = function.func
    name = str(getattr(function, "__name__", type(function).__name__))
    if name == "<lambda>":
        raise UsageError("a lambda has no name", hint='give the component one: `name="load"`')
    callspec = getattr(item, "callspec", None)
    parameters = "" if callspec is None else str(callspec.id)
    if case:  # the plugin's own parameter, which is the last one
        parameters = parameters.removesuffix(case).removesuffix("-")
    return f"{name}[{parameters}]" if parameters else name


def _take_name(name: str, size: str, item: pytest.Item) -> None:
    """Refuse the name of another component; a test that runs again measures its own again."""
    names = item.config.stash.setdefault(_NAMES, {})
    calls = item.stash.setdefault(_CALLS, set())
    known = names.setdefault((name, size), item)
    if name in calls or known.nodeid != item.nodeid:
        where = "this test" if name in calls else f"`{known.nodeid}`"
        hint = f'give one of them a name of its own: `name="{name} again"`'
        raise UsageError(f"a component `{name}` was measured in {where} already", hint=hint)
    calls.add(name)


def _place_of(frame: FrameType | None) -> str:
    """Return the line of the test that is being executed."""
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(_OWN):
        frame = frame.f_back
    if frame is None:
        return ""
    return f"{os.path.relpath(frame.f_code.co_filename)}:{frame.f_lineno}:1"
