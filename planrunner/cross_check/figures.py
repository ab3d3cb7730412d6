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
        short: A shorter run of the same load, in which starting and ending cost as much; None where
            the load has no shorter one.
    """

    requests: int
    failures: int
    seconds: float
    times_ns: tuple[int, ...]
    cpu_s: float | None
    is_cut: bool = False
    short: RoundFigures | None = None

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def failed_share(self) -> float:
        return self.failures / self.requests if self.requests else 0.0

    @property
    def cpu_per_request_us(self) -> float | None:
        """What each request took of processors that this run sent more than the short one."""
        cost = _slope(self._more_cpu_s, self._more_requests)
        return None if cost is None else cost * 1e6

    @property
    def start_cpu_s(self) -> float | None:
        """What the short run took beside its requests: to start, and to end."""
        cost_us = self.cpu_per_request_us
        if self.short is None or self.short.cpu_s is None or cost_us is None:
            return None
        return max(self.short.cpu_s - self.short.requests * cost_us / 1e6, 0.0)

    @property
    def processors(self) -> float | None:
        """How many processors it kept busy while it sent."""
        seconds = self.seconds - (self.short.seconds if self.short else 0.0)
        return _slope(self._more_cpu_s, seconds)

    @property
    def _more_cpu_s(self) -> float | None:
        short_s = self.short.cpu_s if self.short else 0.0
        return None if self.cpu_s is None or short_s is None else self.cpu_s - short_s

    @property
    def _more_requests(self) -> int:
        return self.requests - (self.short.requests if self.short else 0)


def _slope(cpu_s: float | None, more: float) -> float | None:
    """Return what each of some more costs; not more than nothing where noise hides it."""
    return None if cpu_s is None or more <= 0 else cpu_s / more


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
        for one in (each for each in samples if each.kind == "request"):
            self.requests += one.count
            self.failures += one.count if one.failure else 0
            if one.took_ns is not None:
                times += [one.took_ns] * one.count
            if one.start_ns:
                self.first_ns = min(self.first_ns or one.start_ns, one.start_ns)
                self.last_ns = max(self.last_ns, one.start_ns + (one.took_ns or 0))
        self.times.record_many(times)

    def figures(self, ended: ToolEnd, short: RoundFigures | None = None) -> RoundFigures:
        """Return what they come to, once the tool has ended, given those of a shorter run."""
        lasted_ns = ended.lasted_ns or self.last_ns - self.first_ns or ended.took_ns
        return RoundFigures(
            self.requests,
            self.failures,
            lasted_ns / NS_PER_S,
            self.times.percentiles(PERCENTS) if self.times.count else (),
            ended.cpu_s,
            ended.is_cut,
            short,
        )
