"""How components were called, and what of that is in their figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesTotal
from planrunner.protocols.telling_clients import CallCost
from planrunner.results.record.facts import CallFacts

__all__ = ["call_facts"]


def call_facts(
    costs: Mapping[str, CallCost],
    totals: Mapping[Labels, SeriesTotal],
    mask: Callable[[str], str],
) -> tuple[CallFacts, ...]:
    """Return the facts of each measured step, in the order of the plan."""
    return tuple(_facts(name, cost, totals, mask) for name, cost in costs.items())


def _facts(
    name: str,
    cost: CallCost,
    totals: Mapping[Labels, SeriesTotal],
    mask: Callable[[str], str],
) -> CallFacts:
    of_it = [
        total
        for labels, total in totals.items()
        if labels.written == name and labels.kind == "request" and labels.is_result
    ]
    calls, cpu = _merged(of_it, "calls"), _merged(of_it, "cpu")
    peak = _merged(of_it, "peak_rss")
    return CallFacts(
        request=mask(name),
        how=cost.how,
        empty_ns=cost.empty_ns,
        calls=round(calls.mean * calls.count) if calls.count else sum(one.count for one in of_it),
        collections=round(_merged(of_it, "collections").total) if cost.counts_collections else None,
        cpu_ns=round(cpu.mean) if cpu.count else None,
        peak_rss=peak.max if peak.count else None,
    )


def _merged(totals: list[SeriesTotal], word: str) -> Histogram:
    merged = Histogram()
    for one in _found(totals, word):
        merged.merge(one)
    return merged


def _found(totals: list[SeriesTotal], word: str) -> Iterator[Histogram]:
    return (found for one in totals if (found := one.measures.get(word)) is not None)
