"""What measuring a function came to: per-call times of its batches, and whether they are stable."""

from __future__ import annotations

from functools import cached_property
from math import ceil, fsum, sqrt
from typing import Final

from planrunner.python.results.elapsed import Elapsed
from planrunner.timing.machine import Conditions
from planrunner.timing.spread import Spread, spread_of
from planrunner.timing.stability import Stability, judge_stability
from planrunner.units import (
    NS_PER_S,
    format_count,
    format_rate,
)
from planrunner.values import dataclass

__all__ = ["Benchmark", "Timings"]

_SHOWN: Final = ("min", "p90", "p95", "p99", "max")


@dataclass(frozen=True, slots=True)
class Timings:
    """What was measured of a function.

    Attributes:
        samples_ns: Of each iteration, what a call took on average, in the order of time.
        batch: Calls in each iteration.
        overhead_ns: What a call of an empty function takes.
        collections: Of garbage, while it was measured.
        collecting_ns: What they took.
        machine: What the machine did meanwhile.
    """

    samples_ns: tuple[float, ...]
    batch: int
    overhead_ns: float
    collections: int
    collecting_ns: int
    machine: Conditions


class Benchmark:
    """What calls of a function take, from `benchmark` and `benchmark_async`.

    An iteration times a batch of calls together and has the average of one call. So percentiles,
    deviations and extremes are those of batches: with a batch of 1, those of calls. Durations have
    fractions of nanoseconds.

    Attributes:
        name: What was called.
        iterations: How many batches were measured.
        batch: How many calls each of them had.
        gc: Collections of garbage while it was measured; they are part of the times.
        work: How much a call does; 0 where that wasn't said.
        unit: What `work` counts.
        machine: What the machine did meanwhile: load, waits, frequency; None for what it keeps
            to itself.
        samples: What a call took in each iteration, in the order of time.
    """

    def __init__(self, name: str, timings: Timings, *, work: float, unit: str) -> None:
        self.name = name
        self.iterations = len(timings.samples_ns)
        self.batch = timings.batch
        self.gc = timings.collections
        self.work = work
        self.unit = unit
        self.machine = timings.machine
        self.samples = tuple(map(Elapsed, timings.samples_ns))
        self._timings = timings

    @property
    def med(self) -> Elapsed:
        """The median: half of the batches were faster."""
        return Elapsed(self._spread.median)

    @property
    def mad(self) -> Elapsed:
        """The median absolute deviation: half of the batches are within it of the median."""
        return Elapsed(self._spread.mad)

    @property
    def mean(self) -> Elapsed:
        """The average."""
        return Elapsed(self._mean_ns)

    @property
    def stddev(self) -> Elapsed:
        """The standard deviation of the batches; 0 for a single one."""
        squares = fsum((one - self._mean_ns) ** 2 for one in self._timings.samples_ns)
        return Elapsed(sqrt(squares / max(self.iterations - 1, 1)))

    @property
    def min(self) -> Elapsed:
        """The fastest batch."""
        return Elapsed(self._ordered[0])

    @property
    def max(self) -> Elapsed:
        """The slowest batch."""
        return Elapsed(self._ordered[-1])

    @property
    def p50(self) -> Elapsed:
        """The 50th percentile, which is a batch's: the median of an even number is between two."""
        return self.percentile(50)

    @property
    def p90(self) -> Elapsed:
        """The 90th percentile of batches."""
        return self.percentile(90)

    @property
    def p95(self) -> Elapsed:
        """The 95th percentile of batches."""
        return self.percentile(95)

    @property
    def p99(self) -> Elapsed:
        """The 99th percentile of batches."""
        return self.percentile(99)

    def percentile(self, percent: float) -> Elapsed:
        """Return any percentile of the batches, by nearest rank.

        Raises:
            ValueError: `percent` is not between 0 and 100.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"`{percent}` is not between 0 and 100")
        return Elapsed(self._ordered[max(ceil(self.iterations * percent / 100), 1) - 1])

    @property
    def throughput(self) -> float:
        """Calls per second, one after the other."""
        return NS_PER_S / self._mean_ns if self._mean_ns else 0.0

    @property
    def work_rate(self) -> float:
        """Work per second; 0 where no work was given."""
        return self.work * self.throughput

    @property
    def overhead(self) -> Elapsed:
        """What a call of an empty function takes here; it is part of the times."""
        return Elapsed(self._timings.overhead_ns)

    @property
    def gc_time(self) -> Elapsed:
        """What the collections of garbage took, of all iterations together."""
        return Elapsed(self._timings.collecting_ns)

    @property
    def stable(self) -> bool:
        """Whether measuring again would give about the same median."""
        return self._stability.is_stable

    @property
    def reason(self) -> str:
        """Why it isn't stable, and what to do; empty when it is."""
        return "" if self.stable else self._stability.words

    def facts(self) -> dict[str, str]:
        """Return what people want to know, in words, by what it is about."""
        return {
            "median ± MAD": self._middle,
            "mean ± stddev": f"{self.mean} ± {self.stddev}",
            "batches": " · ".join(f"{name} {getattr(self, name)}" for name in _SHOWN),
            "throughput": self._throughput,
            "measured": self._amount,
            "overhead": f"{self.overhead} for an empty call, part of the times",
            "garbage": f"{format_count(self.gc, 'collection')}, {self.gc_time}, part of the times",
            "machine": self.machine.words,
        }

    def explain(self) -> str:
        """Return the verdict and `facts` as text."""
        lines = [f"{self.name}: {self._stability.words}"]
        lines += (f"  {about:<14}{words}" for about, words in self.facts().items())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from planrunner.python.results.notebook import benchmark_html  # noqa: PLC0415 - for notebooks

        return benchmark_html(self.name, self.reason, self.facts())

    def __repr__(self) -> str:
        word = "stable" if self.stable else "noisy"
        return f"<{self.name}: {self._middle}, {format_rate(self.throughput)}, {word}>"

    @property
    def _middle(self) -> str:
        return f"{self.med} ± {self.mad}"

    @property
    def _throughput(self) -> str:
        calls = f"{format_rate(self.throughput).removesuffix('/s')} calls/s"
        if not self.work:
            return calls
        work = format_rate(self.work_rate).removesuffix("/s")
        return f"{calls} · {work} {self.unit or 'work'}/s"

    @property
    def _amount(self) -> str:
        return f"{format_count(self.iterations, 'iteration')} of {format_count(self.batch, 'call')}"

    @cached_property
    def _ordered(self) -> list[float]:
        return sorted(self._timings.samples_ns)

    @cached_property
    def _mean_ns(self) -> float:
        return fsum(self._timings.samples_ns) / self.iterations

    @cached_property
    def _spread(self) -> Spread:
        return spread_of(self._timings.samples_ns)

    @cached_property
    def _stability(self) -> Stability:
        return judge_stability(self._spread, self.machine)
