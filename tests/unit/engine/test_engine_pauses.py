"""The think time that belongs to a request: after it, and in no figure of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planrunner.graph.run_graph import GroupNode, ParallelNode, RequestNode, ThinkNode
from planrunner.language.expressions.expression import parse
from planrunner.units import NS_PER_MS
from tests.support.graphs import (
    Answer,
    Told,
    closed,
    counts,
    make_graph,
    request,
    run_graph,
    task,
    think,
    user_class,
)


def paused(name: str, seconds: float, answer: Answer | None = None) -> RequestNode:
    return replace(request(name, answer or Answer()), pause=think(seconds))


def told(*steps: object, seconds: float = 3.5) -> Told:
    return run_graph(make_graph(user_class(task("t", *steps)), closed(1, seconds)))


def longest_ns(ran: Told, kind: str) -> set[int]:
    totals = ran.outcome.total.totals.items()
    return {total.latency.max for labels, total in totals if labels.kind == kind}


def test_a_pause_is_no_part_of_a_latency_or_a_group() -> None:
    """The next request comes a second after the reply, and each takes 10 ms."""
    ran = told(GroupNode("g", (paused("a", 1), paused("b", 1))))

    assert ran.asked() == pytest.approx([0.0, 1.01, 2.02, 3.03])
    assert longest_ns(ran, "request") == {10 * NS_PER_MS}
    assert longest_ns(ran, "group") == {20 * NS_PER_MS}


def test_a_request_that_failed_is_followed_by_it() -> None:
    """People read error pages as well."""
    ran = told(paused("a", 1, Answer(status=500)))

    assert ran.asked() == pytest.approx([0.0, 1.01, 2.02, 3.03])


def test_a_request_that_is_not_sent_has_none() -> None:
    """The condition is about both, and evaluated once."""
    skipped = replace(paused("a", 1), when=parse("false").lower({}).evaluate)

    ran = told(skipped, paused("b", 1))

    assert ran.asked() == pytest.approx([0.0, 1.01, 2.02, 3.03])
    assert counts(ran.outcome, "request") == {"b": 4}


def test_requests_in_parallel_are_followed_by_one() -> None:
    """When all have ended."""
    pause = think(1)
    assert isinstance(pause, ThinkNode)
    both = ParallelNode((request("a", Answer()), request("b", Answer())), pause=pause)

    ran = told(both, seconds=1.5)

    assert ran.asked() == pytest.approx([0.0, 0.0, 1.01, 1.01])
