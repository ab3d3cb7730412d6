"""One interval of a run as a column of charts: sums that merge, and the figures that are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import ABORTED
from planrunner.metrics.snapshot import Snapshot
from planrunner.units import NS_PER_MS
from planrunner.values import dataclass
from planrunner.web.feed.messages import ARRIVAL_WORDS, SecondSeen

__all__ = ["LiveInterval", "LoadAskedFor", "in_ms", "interval_of", "percentiles_ms"]

_ALL: Final = ""

LoadAskedFor = tuple[float | None, float | None]
"""How many users, and how many arrivals a second, the plan asks for at a moment."""


@dataclass(slots=True)
class _RequestSum:
    """Requests of one name."""

    requests: int = 0
    failed: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def add(self, other: _RequestSum) -> None:
        self.requests += other.requests
        self.failed += other.failed
        self.latency.merge(other.latency)


@dataclass(slots=True)
class LiveInterval:
    """Some seconds in a row; warm-up is part of them, what a phase's end cut is not.

    Attributes:
        end: Seconds after the start of the load.
        requests: By name, those of all together without one.
        failures: By what they failed by.
        lag_ms: Of the generator, the worst; likewise `cpu`.
        thresholds: The last observed amount of each.
    """

    end: int
    requests: dict[str, _RequestSum] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    users: Mapping[str, int] = field(default_factory=dict)
    asked: LoadAskedFor = (None, None)
    arrivals: Counter[str] = field(default_factory=Counter)
    lag_ms: float = 0.0
    cpu: float = 0.0
    gauges: Mapping[str, float] = field(default_factory=dict)
    thresholds: Sequence[float | None] = ()

    def add(self, later: LiveInterval) -> None:
        """Take in what follows."""
        self.end = later.end
        for name, one in later.requests.items():
            self.requests.setdefault(name, _RequestSum()).add(one)
        self.failures.update(later.failures)
        self.arrivals.update(later.arrivals)
        self.users, self.asked, self.thresholds = later.users, later.asked, later.thresholds
        self.lag_ms, self.cpu = max(self.lag_ms, later.lag_ms), max(self.cpu, later.cpu)
        self.gauges = {**self.gauges, **later.gauges}

    def column(self, names: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, Any]:
        """Return its figures as JSON.

        Args:
            names: The requests that have columns of their own, each under a name; likewise `kinds`.
            kinds: Of failures.
        """
        whole = self.requests.get(_ALL) or _RequestSum()
        p50, p95, p99 = percentiles_ms(whole.latency)
        failures: Counter[str] = Counter()
        for kind, count in self.failures.items():
            failures[kinds[kind]] += count
        by_request = {
            names[name]: [one.requests, one.failed, *percentiles_ms(one.latency)]
            for name, one in self.requests.items()
            if name in names
        }
        return {
            "t": self.end,
            "requests": whole.requests,
            "failed": whole.failed,
            "p50": p50,
            "p95": p95,
            "p99": p99,
            "users": dict(self.users),
            "asked_users": self.asked[0],
            "asked_rate": self.asked[1],
            **{word: self.arrivals[word] for word in ARRIVAL_WORDS if self.arrivals},
            "failures": dict(failures),
            "lag": round(self.lag_ms, 2),
            "cpu": round(self.cpu, 3),
            "gauges": dict(self.gauges),
            "thresholds": list(self.thresholds),
            "by_request": by_request,
        }


def interval_of(
    seen: SecondSeen, *, asked: LoadAskedFor, thresholds: Sequence[float | None]
) -> LiveInterval:
    """Return a second as an interval."""
    second, health = seen.second, seen.second.health
    found = LiveInterval(
        second.number,
        users=second.snapshot.users,
        asked=asked,
        arrivals=Counter(seen.arrivals),
        gauges=seen.gauges,
        thresholds=thresholds,
    )
    if health is not None:
        found.lag_ms, found.cpu = in_ms(health.loop_lag_ns), health.cpu_share
    _count(found, second.snapshot)
    return found


def _count(found: LiveInterval, snapshot: Snapshot) -> None:
    for labels, delta in snapshot.deltas.items():
        if labels.kind != "request" or not labels.measured or labels.failure == ABORTED:
            continue
        for name in (_ALL, labels.request):
            one = found.requests.setdefault(name, _RequestSum())
            one.requests += delta.count
            one.failed += delta.count if labels.failure else 0
            if labels.has_latency:
                one.latency.merge(delta.latency)
        if labels.failure:
            found.failures[labels.failure_text] += delta.count


def percentiles_ms(latency: Histogram) -> tuple[float | None, ...]:
    """Return the 50th, 95th and 99th percentile; None of nothing."""
    if not latency.count:
        return (None, None, None)
    return tuple(map(in_ms, latency.percentiles((50, 95, 99))))


def in_ms(ns: float) -> float:
    """Return a time in milliseconds, with the digits that mean something."""
    return round(ns / NS_PER_MS, 3)
