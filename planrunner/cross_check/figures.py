"""The figures of one tool in one round: the same arithmetic for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.tools.contract import ToolSample
from planrunner.tools.tool_run import ToolEnd
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["PERCENTS", "RoundFigures", "RoundSamples"]

PERCENTS: Final = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """What one round came to.

    Attributes:
        seconds: From the first request to the end of the last.
        times_ns: Latency at each of `PERCENTS`; empty where there is none.
        cpu_s: Of processors, with starting and ending; None where nobody knows.
        is_cut: It was ended before it would have ended by itself.
    """

    requests: int
    failures: int
    seconds: float
    times_ns: tuple[int, ...]
    cpu_s: float | None
    is_cut: bool = False

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def failed_share(self) -> float:
        return self.failures / self.requests if self.requests else 0.0

    @property
    def cpu_per_request_us(self) -> float | None:
        return None if self.cpu_s is None or not self.requests else self.cpu_s / self.requests * 1e6

    @property
    def processors(self) -> float | None:
        """How many processors it kept busy while it sent."""
        return None if self.cpu_s is None or not self.seconds else self.cpu_s / self.seconds


@dataclass(slots=True)
class RoundSamples:
    """Takes the samples of a tool as they come."""

    requests: int = 0
    failures: int = 0
    first_ns: int = 0
    last_ns: int = 0
    times: Histogram = field(default_factory=Histogram)

    def take(self, samples: Sequence[ToolSample]) -> None:
        times: list[int] = []
        for one in samples:
            self.requests += one.count
            self.failures += one.count if one.failure else 0
            if one.took_ns is not None:
                times += [one.took_ns] * one.count
            if one.start_ns:
                self.first_ns = min(self.first_ns or one.start_ns, one.start_ns)
                self.last_ns = max(self.last_ns, one.start_ns + (one.took_ns or 0))
        self.times.record_many(times)

    def figures(self, ended: ToolEnd) -> RoundFigures:
        """Return what they come to, once the tool has ended."""
        lasted_ns = ended.lasted_ns or self.last_ns - self.first_ns or ended.took_ns
        return RoundFigures(
            self.requests,
            self.failures,
            lasted_ns / NS_PER_S,
            self.times.percentiles(PERCENTS) if self.times.count else (),
            ended.cpu_s,
            ended.is_cut,
        )
