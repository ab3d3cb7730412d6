"""What there is to know of one aggregation; the parser, the judge and the docs ask nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import assert_never

from planrunner.metrics.aggregations.computation import (
    Computation,
    OfAmounts,
    OfArrivals,
    OfCounts,
    OfExpectations,
    OfGrowth,
    OfSearches,
    OfSizes,
    OfSuccesses,
    OfValues,
)
from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import Measure
from planrunner.units import write_duration
from planrunner.values import dataclass

__all__ = ["Aggregation", "ArgumentKind", "SelectorUse", "WindowUse"]


class ArgumentKind(StrEnum):
    """What belongs to the word: nothing, a percentage (`p95`) or a time (`apdex(500ms)`)."""

    NONE = "none"
    PERCENT = "percent"
    TARGET = "target"


class SelectorUse(StrEnum):
    """Whether `of SELECTOR` goes with an aggregation."""

    OPTIONAL = "optional"
    REQUIRED = "required"
    USER_CLASS = "user class"
    NEVER = "never"


class WindowUse(StrEnum):
    """Whether `over 30s` goes with an aggregation, and `for 2 windows` with that."""

    ANY = "any"
    SINGLE = "single"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Aggregation:
    """How what a run measured becomes one number. The word is its identity.

    Attributes:
        word: In the plan, without an argument.
        meaning: For the reference, as what follows the word and a colon.
        computation: Of what, and how.
        phrase: What `explain` says. `{of}` is what is picked from, `{all}` what
            it is a share of, `{argument}` the argument, `{user}` the user class.
        examples: Whole thresholds; the first is the one to show when there is room for one.
        units: That a limit may have; the first is what a bare 0 has and what messages name. Empty
            where it is in the unit of what is measured.
        phrase_in: What it says instead with a limit in one of these units.
        argument: What belongs to the word.
        selector: Whether `of` goes with it.
        window: Whether `over` goes with it.
        greatest: The greatest limit that makes sense.
        missing: What a report says when there is nothing to compute it from.
        delay_proof: Whether a generator that is late can't change it.
        synonyms: What other tools call it.
        other_units: What to write instead of a limit in one of these units.
        without_selector: What to write instead where a required `of` is missing.
        takes_among: Whether `among SELECTOR` may say what it is a share of.
        always_of: The one measure that it is of; None where one may be named, or none matters.
        of_gauges: Whether a gauge has it.
        of_latencies: Whether measures that expressions don't give have it.
    """

    word: str
    meaning: str = field(compare=False)
    computation: Computation = field(compare=False)
    phrase: str = field(compare=False)
    examples: tuple[str, ...] = field(compare=False)
    units: tuple[Unit, ...] = field(default=(), compare=False)
    phrase_in: Mapping[Unit, str] = field(default_factory=dict, compare=False)
    argument: ArgumentKind = field(default=ArgumentKind.NONE, compare=False)
    selector: SelectorUse = field(default=SelectorUse.OPTIONAL, compare=False)
    window: WindowUse = field(default=WindowUse.ANY, compare=False)
    greatest: float | None = field(default=None, compare=False)
    missing: str = field(default="no samples", compare=False)
    delay_proof: bool = field(default=False, compare=False)
    synonyms: tuple[str, ...] = field(default=(), compare=False)
    other_units: Mapping[Unit, str] = field(default_factory=dict, compare=False)
    without_selector: str = field(default="", compare=False)
    takes_among: bool = field(default=False, compare=False)
    always_of: Measure | None = field(default=None, compare=False)
    of_gauges: bool = field(default=True, compare=False)
    of_latencies: bool = field(default=True, compare=False)

    def __repr__(self) -> str:
        # Workers compare what they compiled by `repr`: no address of a function may stand in it.
        return f"<Aggregation {self.word}>"

    def spelled(self, argument: float) -> str:
        """Return the word with its argument: `p99.9`, `apdex(500ms)`."""
        match self.argument:
            case ArgumentKind.NONE:
                return self.word
            case ArgumentKind.PERCENT:
                number = f"{argument:g}" if argument % 1 == 0 else repr(argument)
                return f"{self.word}{number}"
            case ArgumentKind.TARGET:
                return f"{self.word}({write_duration(int(argument))})"
            case _ as unreachable:
                assert_never(unreachable)

    @property
    def spellings(self) -> tuple[str, ...]:
        """The words that a threshold may begin with, of percentiles the usual ones."""
        if self.argument is ArgumentKind.PERCENT:
            return tuple(f"{self.word}{percent}" for percent in ("50", "90", "95", "99", "99.9"))
        return (self.word,)

    @property
    def is_of_values(self) -> bool:
        """Whether it is computed from values with a measure, which those of a gauge are too."""
        return isinstance(self.computation, OfValues | OfGrowth)

    @property
    def takes_measure(self) -> bool:
        """Whether a measure other than latency may be named."""
        return isinstance(self.computation, OfValues | OfSuccesses | OfGrowth)

    @property
    def is_of_own(self) -> bool:
        """Whether it is computed from a metric of the plan's own, where that is meant."""
        return isinstance(self.computation, OfValues | OfAmounts | OfGrowth) and not self.always_of

    @property
    def is_of_samples(self) -> bool:
        """Whether it is computed from series, where it isn't computed from a gauge."""
        return self.has_baseline or self.is_growth or self.is_of_sizes

    @property
    def is_share(self) -> bool:
        """Whether what is picked isn't enough: it also looks at what it was picked from."""
        return isinstance(self.computation, OfCounts) and self.computation.is_share

    @property
    def is_growth(self) -> bool:
        """Whether it compares times, so that totals don't suffice for it."""
        return isinstance(self.computation, OfGrowth)

    @property
    def is_of_sizes(self) -> bool:
        """Whether it compares phases of a matrix, and `over` names what differs among them."""
        return isinstance(self.computation, OfSizes)

    @property
    def is_of_expectations(self) -> bool:
        """Whether it is computed from expectations, which nothing but requests has."""
        return isinstance(self.computation, OfExpectations)

    @property
    def is_of_arrivals(self) -> bool:
        return isinstance(self.computation, OfArrivals)

    @property
    def is_of_searches(self) -> bool:
        return isinstance(self.computation, OfSearches)

    @property
    def has_baseline(self) -> bool:
        """Whether `110% of baseline` goes with it: the result of a run must suffice for it."""
        return isinstance(
            self.computation, OfValues | OfAmounts | OfCounts | OfExpectations | OfSuccesses
        )
