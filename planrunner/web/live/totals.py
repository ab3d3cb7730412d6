"""What the requests of a run came to so far: the tables, which show results alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from typing import Any, Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import ABORTED, Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.values import dataclass
from planrunner.web.live.interval import in_ms, percentiles_ms

__all__ = ["LiveTotals"]

_MOST_FAILURES: Final = 500
_ALL: Final = ""


@dataclass(slots=True)
class _RequestTotal:
    protocol: str = ""
    method: str = ""
    requests: int = 0
    failed: int = 0
    received: int | None = None
    sent: int | None = None
    latency: Histogram = field(default_factory=Histogram)
    figures: dict[str, Any] = field(default_factory=dict)

    def add(self, labels: Labels, delta: SeriesDelta) -> None:
        self.protocol, self.method = labels.protocol, labels.method
        self.requests += delta.count
        self.failed += delta.count if labels.failure else 0
        self.received = labels.plus_told("received", self.received, delta.received)
        self.sent = labels.plus_told("sent", self.sent, delta.sent)
        if labels.has_latency:
            self.latency.merge(delta.latency)

    def as_json(self) -> dict[str, Any]:
        p50, p95, p99 = percentiles_ms(self.latency)
        known = self.latency.count > 0
        return {
            "requests": self.requests,
            "failed": self.failed,
            "mean": in_ms(self.latency.mean) if known else None,
            "p50": p50,
            "p95": p95,
            "p99": p99,
            "max": in_ms(self.latency.max) if known else None,
            "received": self.received,
            "sent": self.sent,
        }


class LiveTotals:
    """Sums up the seconds of a run."""

    def __init__(self) -> None:
        self._requests: dict[str, _RequestTotal] = {}
        self._last: dict[str, _RequestTotal] = {}
        self._failures: Counter[tuple[str, str]] = Counter()
        self._apart: Counter[str] = Counter()

    def add(self, snapshot: Snapshot) -> None:
        """Take in a second."""
        self._last = {}
        for labels, delta in snapshot.deltas.items():
            if labels.kind == "request" and labels.measured:
                if labels.failure == ABORTED:
                    self._apart["aborted"] += delta.count
                else:
                    self._add(labels, delta)
        for name in self._last:  # of most of very many names there is seldom news
            if name in self._requests:
                self._requests[name].figures = self._requests[name].as_json()

    def _add(self, labels: Labels, delta: SeriesDelta) -> None:
        parts = [self._last]
        if labels.warmup:
            self._apart["warmup"] += delta.count
        elif labels.is_result:
            parts.append(self._requests)
            self._count(labels, delta.count)
        for part in parts:
            for name in (_ALL, labels.request):
                part.setdefault(name, _RequestTotal()).add(labels, delta)

    def _count(self, labels: Labels, count: int) -> None:
        key = (labels.request, labels.failure_text)
        if labels.failure and (key in self._failures or len(self._failures) < _MOST_FAILURES):
            self._failures[key] += count

    def totals(self) -> dict[str, Any]:
        """Return all requests together."""
        whole = self._requests.get(_ALL)
        found = (whole.figures if whole else None) or _RequestTotal().as_json()
        return {**found, "warmup": self._apart["warmup"], "aborted": self._apart["aborted"]}

    def now(self) -> dict[str, Any]:
        """Return the last second, warm-up included."""
        return (self._last.get(_ALL) or _RequestTotal()).as_json()

    def requests(self) -> list[dict[str, Any]]:
        """Return a row for each request, in the order in which they first came."""
        return [
            {
                "name": name,
                "protocol": total.protocol,
                "method": total.method,
                **total.figures,
                "last": self._last_of(name),
            }
            for name, total in self._requests.items()
            if name != _ALL
        ]

    def _last_of(self, name: str) -> dict[str, Any]:
        last = self._last.get(name) or _RequestTotal()
        _, p95, _ = percentiles_ms(last.latency)
        return {"requests": last.requests, "failed": last.failed, "p95": p95}

    def failures(self) -> list[dict[str, Any]]:
        """Return how often each request failed in each way, the most frequent first."""
        return [
            {"request": request, "kind": kind, "count": count}
            for (request, kind), count in self._failures.most_common()
        ]
