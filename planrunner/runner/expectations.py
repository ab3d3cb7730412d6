"""How often what a plan expects of replies held, request by request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from planrunner.engine.recording.counters import Counters
from planrunner.engine.workers.local import sent_requests
from planrunner.graph.run_graph import RunGraph
from planrunner.metrics.series import CHECK, Labels
from planrunner.metrics.snapshot import SeriesTotal
from planrunner.results.record import ExpectationCount

__all__ = ["count_expectations"]

_OF_REPLIES = frozenset({"", "status", "expect", "extract"})
"""The failure kinds of complete replies."""


def count_expectations(
    graph: RunGraph,
    counters: Counters,
    totals: Mapping[Labels, SeriesTotal],
    mask: Callable[[str], str],
) -> tuple[ExpectationCount, ...]:
    """Return a count for each expectation that the plan states, in the order of the plan.

    Those of scripts of other tools follow, as the run met them.
    """
    found: dict[tuple[str, str, bool], ExpectationCount] = {}
    judged, broken_ones = _judged(counters), _broken(totals)
    of_status = dict(_statuses(graph, totals))
    for node in sent_requests(graph):
        name, exchange = node.written, node.exchange
        if exchange.states_status and name in of_status:
            found.setdefault((name, "", False), of_status[name])
        for is_soft, words in ((False, exchange.expected[1:]), (True, exchange.softly_expected)):
            for one in words:
                key = (name, one, is_soft)
                if judged[key]:
                    broken = broken_ones[key]
                    found[key] = ExpectationCount(name, one, judged[key] - broken, broken, is_soft)
    return tuple(
        ExpectationCount(mask(one.request), mask(one.expected), one.held, one.broken, one.is_soft)
        for one in (*found.values(), *_of_tools(totals))
    )


def _of_tools(totals: Mapping[Labels, SeriesTotal]) -> Iterator[ExpectationCount]:
    """Yield what became of each check of a script, which is of no request but of its tool."""
    looked, broken = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for labels, total in totals.items():
        if labels.kind == CHECK and labels.is_result:
            key = dict(labels.tags)["tool"], labels.request
            looked[key] += total.count
            broken[key] += sum(total.broken.values())
    for (tool, check), times in looked.items():
        failed = broken[tool, check]
        yield ExpectationCount(tool, check, times - failed, failed, is_soft=True)


def _broken(totals: Mapping[Labels, SeriesTotal]) -> Counter[tuple[str, str, bool]]:
    """Return how often each expectation did not hold."""
    broken: Counter[tuple[str, str, bool]] = Counter()
    for labels, total in totals.items():
        if labels.is_result:
            for (expected, is_soft), times in total.broken.items():
                broken[labels.written, expected, is_soft] += times
    return broken


def _judged(counters: Counters) -> Counter[tuple[str, str, bool]]:
    """Return how many replies each expectation was asked of."""
    judged: Counter[tuple[str, str, bool]] = Counter()
    for (name, expected, softly_expected), replies in counters.judged.items():
        for one in expected:
            judged[name, one, False] += replies
        for one in softly_expected:
            judged[name, one, True] += replies
    return judged


def _statuses(
    graph: RunGraph, totals: Mapping[Labels, SeriesTotal]
) -> Iterator[tuple[str, ExpectationCount]]:
    """Yield what became of the statuses that requests state, by their names.

    Requests of one name that state different statuses share a count.
    """
    stated: dict[str, dict[str, None]] = {}
    for node in sent_requests(graph):
        if node.exchange.states_status:
            stated.setdefault(node.written, {})[node.exchange.expected[0]] = None
    replies: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for labels, total in totals.items():
        has_reply = labels.status or labels.status_name
        is_request = labels.kind == "request" and labels.is_result
        if is_request and has_reply and labels.failure in _OF_REPLIES:
            replies[labels.written] += total.count
            broken[labels.written] += total.count if labels.failure == "status" else 0
    for name, words in stated.items():
        if replies[name]:
            held = replies[name] - broken[name]
            yield name, ExpectationCount(name, " or ".join(words), held, broken[name])
