"""The threshold as a value: what a sentence of the plan means; `str` writes the sentence again.

`parser` makes these, `judging` judges a run by them, `words` explains them.
Positions count characters from 0 in the text that was parsed and are no part of equality.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from enum import StrEnum
from operator import eq, ge, gt, le, lt, ne
from typing import Final

from planrunner.errors import PlanrunnerError
from planrunner.metrics.aggregations.record import Aggregation
from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import LATENCY, Measure
from planrunner.metrics.series import CHECK
from planrunner.metrics.thresholds.selector import (
    AllOf,
    Population,
    Selector,
    Term,
    population_of,
    quoted,
)
from planrunner.units import write_duration
from planrunner.values import dataclass

__all__ = [
    "DEFAULT_SENTENCE",
    "Abort",
    "Metric",
    "OnNoData",
    "Operator",
    "Ratio",
    "SizeLine",
    "SizeName",
    "Threshold",
    "ThresholdLevel",
    "ThresholdScope",
    "ThresholdSyntaxError",
    "ThresholdValue",
    "Window",
]

DEFAULT_SENTENCE: Final = "error_rate < 1%"
"""What judges a plan that has no thresholds."""


class ThresholdSyntaxError(PlanrunnerError):
    """A threshold that can't be read.

    Args:
        message: One sentence.
        offset: Where the wrong word starts, in characters from 0.
        length: Of the wrong word; at least 1.
        hint: What to write instead.

    Attributes:
        key: The key of the long form that `offset` counts in; empty for a sentence.
    """

    def __init__(self, message: str, *, offset: int, length: int = 1, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.offset = offset
        self.length = max(1, length)
        self.key = ""


class ThresholdLevel(StrEnum):
    """What a broken threshold means for the run."""

    WARN = "warn"
    FAIL = "fail"


class OnNoData(StrEnum):
    FAIL = "fail"
    PASS = "pass"
    SKIP = "skip"


class Operator(StrEnum):
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    EQUAL = "=="
    NOT_EQUAL = "!="

    def holds(self, observed: float, limit: float) -> bool:
        return _COMPARE[self](observed, limit)


_COMPARE: Final[Mapping[Operator, Callable[[float, float], bool]]] = {
    Operator.LESS: lt,
    Operator.AT_MOST: le,
    Operator.GREATER: gt,
    Operator.AT_LEAST: ge,
    Operator.EQUAL: eq,
    Operator.NOT_EQUAL: ne,
}


@dataclass(frozen=True, slots=True)
class ThresholdScope:
    """Where a metric is looked at; all empty means every phase of the run together.

    Attributes:
        chosen: The phases of this run that it means, where a profile that the running one uses
            brought them; None where their names alone decide. Set by the compiler.
    """

    profile: Term | None = None
    phase: Term | None = None
    stage: Term | None = None
    chosen: frozenset[str] | None = field(default=None, compare=False)

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for term in (self.profile, self.phase, self.stage) if term is not None)

    def takes(self, phase: str) -> bool:
        """Whether it looks at a phase of this name, all of its stages or some."""
        if self.chosen is not None:
            return phase in self.chosen
        return self.phase is None or phase == self.phase.name

    def __str__(self) -> str:
        return " ".join(f"{term.kind} {quoted(term.name)}" for term in self.terms)


@dataclass(frozen=True, slots=True)
class Window:
    """Judge pieces of `length_ns`; `count` in a row that break the threshold fail it."""

    length_ns: int
    count: int = 1

    def __str__(self) -> str:
        length = write_duration(self.length_ns)
        return f"{length} for {self.count} windows" if self.count > 1 else length


@dataclass(frozen=True, slots=True)
class Abort:
    """Judge once a second while the run goes on, from `after_ns` after the scope's start."""

    after_ns: int = 0

    def __str__(self) -> str:
        return f"abort after {write_duration(self.after_ns)}" if self.after_ns else "abort"


@dataclass(frozen=True, slots=True)
class SizeName:
    """What differs among the phases of a matrix and is a number: a param, `users` or `rate`."""

    name: str
    offset: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SizeLine:
    """The phases of a matrix that differ in nothing but a size, of those that run.

    Attributes:
        name: The matrix, with what its other axes are: `ingestion[format=csv]`.
        points: Each size, the smallest first, with the phases that have it.
    """

    name: str
    points: tuple[tuple[float, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that a run gives.

    Attributes:
        argument: The percentile (0 < p < 100), or the target of apdex in ns; else 0.
        selector: None for every request.
        among: What the selector's share is taken of; None for everything of its kind.
        size: What `over` names, of an aggregation that compares sizes.
        measure: What the values are of, where they are of samples.
        measure_offset: Where the measure is named.
    """

    agg: Aggregation
    argument: float = 0
    selector: Selector | None = None
    scope: ThresholdScope = ThresholdScope()
    window: Window | None = None
    measure: Measure = LATENCY
    measure_offset: int = field(default=0, compare=False)
    among: Selector | None = None
    size: SizeName | None = None
    population: Population = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        population = _population(self.selectors)
        if self.agg.is_of_expectations and population is Population.GROUP:
            population = Population.REQUEST  # only the requests in a group have expectations
        object.__setattr__(self, "population", population)

    def __str__(self) -> str:
        parts = [self.agg_text]
        if self.selector is not None:
            parts.append(f"of {self.selector}")
        if self.among is not None:
            parts.append(f"among {self.among}")
        if self.scope.terms:
            parts.append(f"in {self.scope}")
        if self.window is not None:
            parts.append(f"over {self.window}")
        if self.size is not None:
            parts.append(f"over {quoted(self.size.name)}")
        return " ".join(parts)

    def is_of(self, kind: str) -> bool:
        """Whether samples of this kind are what it may pick from."""
        return kind == self.population or (kind == CHECK and self.agg.is_of_expectations)

    @property
    def agg_text(self) -> str:
        """The aggregation with its argument, and the measure unless it is latency."""
        spelled = self.agg.spelled(self.argument)
        if self.measure == LATENCY or self.agg.always_of is not None:
            return spelled
        return f"{spelled} {'of ' if self.measure.is_own else ''}{self.measure.word}"

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """What picks its samples, and what they are a share of."""
        return tuple(one for one in (self.selector, self.among) if one is not None)

    @property
    def terms(self) -> tuple[Term, ...]:
        """Everything that it names, phases, stages and profiles included."""
        named = (term for selector in self.selectors for term in selector.terms)
        return (*named, *self.scope.terms)

    @property
    def each(self) -> Selector | None:
        """What is judged one by one, if anything is."""
        return next((one for one in self.selectors if one.is_each), None)

    @property
    def wants_aborted(self) -> bool:
        """True when aborted requests are asked for by name."""
        return any(one.wants_aborted for one in self.selectors)

    @property
    def gauge(self) -> Term | None:
        """The gauge that is measured, if it is one."""
        if self.selector is not None and self.selector.population is Population.GAUGE:
            return self.selector.terms[0]
        return None


def _population(selectors: tuple[Selector, ...]) -> Population:
    """Return what both pick from: `share of error:timeout among group:G` is of requests."""
    if not selectors:
        return Population.REQUEST
    return population_of(AllOf(tuple(selector.root for selector in selectors)))


@dataclass(frozen=True, slots=True)
class Ratio:
    """One metric divided by another of the same unit."""

    dividend: Metric
    divisor: Metric

    def __str__(self) -> str:
        return f"ratio({self.dividend}, {self.divisor})"


@dataclass(frozen=True, slots=True)
class ThresholdValue:
    """A limit.

    Attributes:
        amount: ns (duration), per second (rate), a fraction (percentage), bytes (size) or a plain
            number; of the baseline's value when `of_baseline`, as a fraction.
        text: As written, without `of baseline`.
        offset: Where it begins in the sentence.
    """

    unit: Unit
    amount: float
    text: str = field(compare=False)
    of_baseline: bool = False
    offset: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.text} of baseline" if self.of_baseline else self.text

    @property
    def shown(self) -> str:
        """The limit for people: `500 ms`, `1 %`, `110 % of baseline`."""
        spaced = re.sub(r"^([0-9.]+)([A-Za-z%]+)$", r"\1 \2", self.text)
        return f"{spaced} of baseline" if self.of_baseline else spaced


@dataclass(frozen=True, slots=True)
class Threshold:
    """A condition on a run.

    A pair `{warn: …, fail: …}` is two thresholds with their `level`, judged independently; they
    share `pair`, so that a report can show them as one.

    Attributes:
        on_no_data: What it means that the scope has no samples; only the long form sets it.
        pair: A number from 1 that both thresholds of a pair have; 0 for a single one.
        text: As the plan wrote it.
        place: `file:line:column` in the plan, empty when it has none.
        not_applicable: Why this run doesn't select what it looks at; empty when it does. Set by
            the compiler.
        singles: Of `each`, the names of those that this run is meant to have. Set by the compiler.
        lines: What an aggregation of sizes compares in this run. Set by the compiler.
    """

    metric: Metric | Ratio
    op: Operator
    value: ThresholdValue
    abort: Abort | None = None
    on_no_data: OnNoData = OnNoData.FAIL
    level: ThresholdLevel = ThresholdLevel.FAIL
    pair: int = 0
    text: str = field(default="", compare=False)
    place: str = field(default="", compare=False)
    not_applicable: str = field(default="", compare=False)
    singles: tuple[str, ...] = field(default=(), compare=False)
    lines: tuple[SizeLine, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        abort = f", {self.abort}" if self.abort else ""
        return f"{self.metric} {self.op} {self.value}{abort}"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metric, or both of a ratio."""
        if isinstance(self.metric, Ratio):
            return (self.metric.dividend, self.metric.divisor)
        return (self.metric,)

    def remeasured(self, change: Callable[[Metric], Metric]) -> Threshold:
        """Return the threshold with its metric changed, or both of a ratio."""
        match self.metric:
            case Ratio(dividend, divisor):
                return replace(self, metric=Ratio(change(dividend), change(divisor)))
            case metric:
                return replace(self, metric=change(metric))

    def rescoped(self, rescope: Callable[[ThresholdScope], ThresholdScope]) -> Threshold:
        """Return the threshold with other scopes."""
        return self.remeasured(lambda metric: replace(metric, scope=rescope(metric.scope)))

    @property
    def terms(self) -> tuple[Term, ...]:
        """Everything that it names, phases, stages and profiles included."""
        return tuple(term for metric in self.metrics for term in metric.terms)

    @property
    def each(self) -> Selector | None:
        """What is judged one by one, if anything is."""
        return None if isinstance(self.metric, Ratio) else self.metric.each

    @property
    def window(self) -> Window | None:
        return None if isinstance(self.metric, Ratio) else self.metric.window
