"""Several workers, here or on a cluster, leave out and judge what one would."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planrunner.engine import Ending, RunOutcome
from planrunner.graph.run_graph import PhaseNode
from planrunner.metrics.judging.each import judge
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.thresholds import parse_threshold
from planrunner.protocols.base import Scope
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    Answer,
    closed,
    counts,
    make_graph,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.loads import open_phase
from tests.support.remote_pools import run_fleet

SENTENCES = (
    "error_rate < 10%",
    "errors < 20",
    "count >= 40",
    "throughput > 30/s",
    "p50 < 200ms",
    "p95 < 200ms",
    "p99 over 1s < 200ms",
    "achieved_rate >= 99%",
    "late < 1%",
)


def answered(scope: Scope) -> Answer:
    """Every fifth user is slow, every third one fails; multiples of both are far from all ends."""
    user: int = scope["user"]["id"]  # type: ignore[index, assignment]
    return Answer((270 if user % 5 == 0 else 170) * NS_PER_MS, 500 if user % 3 == 0 else 200)


def verdicts(outcome: RunOutcome) -> dict[str, Verdict]:
    return {
        sentence: judge(parse_threshold(sentence), outcome.evidence).verdict
        for sentence in SENTENCES
    }


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(
    users=st.integers(1, 9),
    warmup=st.sampled_from([0, 0.45, 1]),
    hold=st.sampled_from([1, 1.5]),
    is_open=st.booleans(),
    workers=st.integers(2, 4),
    hosts=st.sampled_from([0, 2]),
)
@example(users=9, warmup=1, hold=1.5, is_open=False, workers=3, hosts=2)
@example(users=3, warmup=0.45, hold=1, is_open=True, workers=2, hosts=2)
def test_warm_up_and_verdicts_are_those_of_one_worker(
    *, users: int, warmup: float, hold: float, is_open: bool, workers: int, hosts: int
) -> None:
    """What is left out is left out on each, and every threshold comes to the same."""
    phase: PhaseNode
    if is_open:
        phase = open_phase(37 * users, hold, warmup=warmup)
    else:
        phase = closed(users, hold, warmup=warmup)
    operation = Answer(7 * NS_PER_MS) if is_open else answered
    graph = make_graph(user_class(task("t", request(operation=operation))), phase)

    alone, together = run_graph(graph).outcome, run_fleet(graph, workers, hosts=hosts).outcome

    assert counts(together, "warmup", "status") == counts(alone, "warmup", "status")
    assert verdicts(together) == verdicts(alone)


@pytest.mark.parametrize(
    "hosts", [0, pytest.param(2, marks=pytest.mark.slow)], ids=["processes", "cluster"]
)
def test_warm_up_aborts_nothing(hosts: int) -> None:
    """Its failures are those of no threshold, on whichever worker they are."""
    graph = make_graph(
        user_class(task("t", request(operation=answered))),
        closed(6, 6, warmup=2),
        thresholds=["error_rate < 10%, abort"],
    )

    outcome = run_fleet(graph, 3, hosts=hosts).outcome

    assert outcome.ending is Ending.ABORTED
    assert outcome.ended_ns - outcome.phases[0].begin_ns > 2 * NS_PER_S
