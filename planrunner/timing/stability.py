"""Whether measuring again would give the same median: the rule, its limits and its reasons."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log10
from typing import Final

from planrunner.timing.machine import Conditions, format_ghz
from planrunner.timing.spread import FEWEST, Spread
from planrunner.values import dataclass

__all__ = ["Stability", "judge_stability"]

PRECISION: Final = 0.02
"""How well the median must be known: half of its interval, as a share of it."""

MOST_SPREAD: Final = 0.10
"""Of the MAD, as a share of the median. Source: pyperf warns from a standard deviation of 10 %."""

MOST_DRIFT: Final = 0.05
"""From the first half to the second one. Source: the tolerance of `planrunner compare`."""

MOST_OUTLIERS: Final = 0.10
"""A share of the samples."""

MOST_WAITING: Final = 0.05
"""A share of the time: then at most so many samples are longer, which moves the median by less."""

_MOST_TIMES: Final = 100
MOST_STOLEN: Final = 0.05
MOST_FREQUENCY_DRIFT: Final = 0.05


@dataclass(frozen=True, slots=True)
class Stability:
    """Whether a median can be compared with another one.

    Attributes:
        reasons: Why not, each a clause; empty when it is stable.
        needed: How many samples would know the median well enough; 0 when there are enough, and
            when it would take more than a hundred times as many.
    """

    reasons: tuple[str, ...]
    needed: int

    @property
    def is_stable(self) -> bool:
        return not self.reasons

    @property
    def words(self) -> str:
        """`stable`, or `noisy`, what to do, and why."""
        if self.is_stable:
            return "stable"
        more = f" ({self.needed:,} or more)" if self.needed else ""
        return f"noisy: run again with more iterations{more}: {'; '.join(self.reasons)}"


def judge_stability(spread: Spread, conditions: Conditions | None = None) -> Stability:
    """Judge samples, and the machine while they were taken where that is known.

    Samples that are much alike may all be off, so the machine counts by itself.
    """
    reasons = [*_of_spread(spread)]
    if conditions is not None:
        reasons += _of_machine(conditions)
    return Stability(tuple(reasons), _needed(spread))


def _of_spread(spread: Spread) -> Iterator[str]:
    if spread.count < FEWEST:
        yield f"{spread.count} samples are too few to know a median"
    if spread.median <= 0:
        yield "it is too short to be measured"
        return
    if (share := _half_interval(spread)) > PRECISION:
        yield f"the median is known to ± {_percent(share)} only"
    if (share := spread.mad / spread.median) > MOST_SPREAD:
        yield f"half of the samples are over {_percent(share)} from the median"
    if abs(spread.drift) > MOST_DRIFT:
        word = "longer" if spread.drift > 0 else "less"
        share = abs(spread.drift)
        yield f"the second half took {_percent(share)} {word} than the first one"
    if (share := spread.outliers / spread.count) > MOST_OUTLIERS:
        yield f"{_percent(share)} of the samples are far from the median"


def _of_machine(machine: Conditions) -> Iterator[str]:
    elapsed_ns = machine.elapsed_ns
    if (share := (machine.waited_ns or 0) / elapsed_ns) > MOST_WAITING:
        yield f"it waited for a processor {_percent(share)} of the time"
    if (share := machine.stolen_ns / elapsed_ns) > MOST_STOLEN:
        yield f"the hypervisor took {_percent(share)} of the time"
    if machine.load is not None and machine.load >= machine.processors:
        yield f"other work keeps {machine.load:.1f} of {machine.processors} processors busy"
    if machine.frequencies_khz is not None:
        lowest, highest = machine.frequencies_khz
        if highest - lowest > MOST_FREQUENCY_DRIFT * highest:
            governor = f", governor {machine.governor}" if machine.governor else ""
            moved = f"from {format_ghz(lowest)} to {format_ghz(highest)}"
            yield f"the processor's frequency moved {moved}{governor}"
    if machine.tracer:
        yield f"`{machine.tracer}` traces the code, which makes it slower"


def _half_interval(spread: Spread) -> float:
    """Return the further end of the median's interval, as a share of the median."""
    low, high = spread.interval
    return max(high - spread.median, spread.median - low) / spread.median


def _needed(spread: Spread) -> int:
    """Return how many samples would do, in two digits; 0 where they are enough, or hopeless.

    The interval of a median shrinks with the square root of their number.
    """
    if spread.count < FEWEST:
        return FEWEST
    if spread.median <= 0 or (half := _half_interval(spread)) <= PRECISION:
        return 0
    exact = spread.count * (half / PRECISION) ** 2
    if exact > _MOST_TIMES * spread.count:
        return 0
    digit: int = 10 ** max(ceil(log10(exact)) - 2, 0)
    return ceil(exact / digit) * digit


def _percent(share: float) -> str:
    """Return three digits of a share: a spread has no more; whole percents beyond those."""
    return f"{100 * share:.3g} %" if share < 9.995 else f"{100 * share:,.0f} %"
