"""A component that a test has measured: figures that travel between processes, and their series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.measures import WORK
from planrunner.metrics.recorded_values import RecordedValues, to_millionths
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.results.record import ComponentFigures
from planrunner.timing.spread import spread_of
from planrunner.timing.stability import Stability
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["SIZES", "Component", "WrittenThreshold"]

SIZES: Final[Mapping[str, int]] = {"small": 1_000, "medium": 10_000, "large": 100_000}
"""Records of test data."""

WrittenThreshold = tuple[str, str]
"""A threshold's sentence, and where it is written: `file:line:column`."""


@dataclass(frozen=True, slots=True)
class Component:
    """What one call of `perf` came to.

    Attributes:
        size: Of the test data: a key of `SIZES`.
        test: The id of the test.
        started: Seconds since the epoch: what is measured later comes later.
        work: How much a call does; 0 where that wasn't said.
        unit: What `work` counts.
        samples_ns: What a call took on average in each iteration, in the order of time.
        batch: Calls in each iteration.
        reasons: Why the median is noisy, each a clause.
        needed: How many iterations would do; 0 where they are enough, or where it isn't known.
        thresholds: What it was judged by in its test.
        broken: Those of them that it broke there.
        failure: What it raised; empty if it didn't.
        elapsed_ns: Until it raised.
        has_case: The session has several sizes, of which this is one.
    """

    name: str
    size: str
    test: str
    started: float
    work: float = 0
    unit: str = ""
    samples_ns: tuple[float, ...] = ()
    batch: int = 1
    reasons: tuple[str, ...] = ()
    needed: int = 0
    thresholds: tuple[WrittenThreshold, ...] = ()
    broken: tuple[WrittenThreshold, ...] = ()
    failure: str = ""
    elapsed_ns: int = 0
    has_case: bool = False

    def as_note(self) -> dict[str, object]:
        """Return what a report can carry between processes; the attributes by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def renamed(self, name: str) -> Component:
        """Return it under another name."""
        return replace(self, name=name)

    @property
    def phase(self) -> str:
        """What its part of a run is called, as a plan would call it."""
        return f"{self.name}[case={self.size}]" if self.has_case else self.name

    @property
    def stability(self) -> Stability:
        """Whether the median is stable."""
        return Stability(self.reasons, self.needed)

    @property
    def figures(self) -> ComponentFigures:
        """What reports say of its median."""
        spread = spread_of(self.samples_ns)
        return ComponentFigures(
            name=self.name,
            phase=self.phase,
            samples=spread.count,
            median_ns=round(spread.median),
            mad_ns=round(spread.mad),
            stable=self.stability.is_stable,
            reasons=self.reasons,
            needed=self.needed,
        )

    @property
    def labels(self) -> Labels:
        """What its samples are called in a run: it is a request in a phase of its own."""
        return Labels(
            request=self.name,
            method="",
            phase=self.phase,
            stage="hold",
            user="pytest",
            task="",
            protocol="python",
            failure="error" if self.failure else "",
            timed=not self.failure,
            records=(WORK.word,) if self.work else (),
            work_unit=self.unit if self.work else "",
        )

    @property
    def measured_ns(self) -> int:
        """The time that counts: of a call in each iteration."""
        return max(round(sum(self.samples_ns)), self.elapsed_ns, 1)

    def stretch(self, start_ns: int) -> MeasuredTime:
        """Return the phase that it is."""
        return MeasuredTime(
            self.phase, "hold", start_ns, start_ns + self.measured_ns, is_counted=True
        )

    def snapshots(self, start_ns: int) -> Iterator[Snapshot]:
        """Yield its samples by the second of the run in which they ended.

        Args:
            start_ns: Of the run: its clock has only what was measured.
        """
        end_ns = start_ns + self.measured_ns
        since_ns, taken = start_ns, list[int]()
        at_ns: float = start_ns
        for sample_ns in self.samples_ns or (0,):
            at_ns += sample_ns
            if taken and at_ns // NS_PER_S > since_ns // NS_PER_S:
                until_ns = int(at_ns // NS_PER_S * NS_PER_S)
                yield self._snapshot(since_ns, until_ns, taken)
                since_ns, taken = until_ns, []
            taken.append(max(round(sample_ns), 1) if sample_ns else 0)
        yield self._snapshot(since_ns, end_ns, taken)

    def _snapshot(self, since_ns: int, until_ns: int, taken_ns: list[int]) -> Snapshot:
        latency = Histogram(taken_ns)
        measures: dict[str, Histogram] = {}
        if self.work and (amount := to_millionths(self.work)) is not None:
            values = [amount] * len(taken_ns)
            measures[WORK.word] = RecordedValues(values, last_ns=until_ns)
        delta = SeriesDelta(latency, latency, measures=measures)
        return Snapshot(since_ns, until_ns, {}, {self.labels: delta})
