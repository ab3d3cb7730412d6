"""Every iteration that was due is accounted for, whatever stalls, fails or is cut."""

from __future__ import annotations

import asyncio
from math import ceil

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planrunner.engine import Event, PhaseStarted
from planrunner.engine.stop import Ending
from planrunner.graph.data import DataNode, OnEnd, Order
from planrunner.metrics.judging.each import judge
from planrunner.metrics.thresholds import parse_threshold
from planrunner.protocols.base import Scope
from planrunner.results.loads import PhaseLoad
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    Answer,
    Told,
    closed,
    make_graph,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.loads import open_phase
from tests.support.remote_pools import run_fleet
from tests.support.virtual_time import VirtualTimeLoop


def begun(told: Told) -> int:
    return sum(told.outcome.counters.picks.values())


def only_load(told: Told) -> PhaseLoad:
    (load,) = told.outcome.loads
    return load


def stalling(at: float, seconds: float):
    """A listener that lets nothing run for a while, from some seconds after the phase began."""

    def listen(event: Event) -> None:
        if isinstance(event, PhaseStarted):
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualTimeLoop)
            loop.call_later(at, loop.stall, round(seconds * NS_PER_S))

    return listen


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    rate=st.integers(1, 60),
    took_ms=st.integers(0, 1500),
    max_users=st.integers(1, 30),
    login_ms=st.sampled_from([0, 300]),
    grace=st.sampled_from([0, 0.2, 30]),
    stall=st.tuples(st.floats(0, 2), st.floats(0, 1.5)),
    stop_at=st.one_of(st.none(), st.floats(0.01, 2.5)),
)
@example(rate=50, took_ms=1, max_users=30, login_ms=0, grace=0, stall=(1.5, 1.0), stop_at=None)
@example(rate=50, took_ms=1, max_users=30, login_ms=300, grace=0, stall=(0.5, 1.0), stop_at=1.4)
def test_each_arrival_is_begun_or_dropped_or_was_never_begun(
    *,
    rate: int,
    took_ms: int,
    max_users: int,
    login_ms: int,
    grace: float,
    stall: tuple[float, float],
    stop_at: float | None,
) -> None:
    """What counts as achieved has really begun; nothing is counted twice or not at all."""
    login = (request("POST /login", Answer(login_ms * NS_PER_MS), measured=False),)
    user = user_class(
        task("t", request(operation=Answer(took_ms * NS_PER_MS))),
        on_start=login if login_ms else (),
    )
    phase = open_phase(rate, 2, max_users=max_users, graceful_stop=grace)
    told = run_graph(
        make_graph(user, phase),
        listener=stalling(*stall),
        stop_at=None if stop_at is None else {stop_at: "enough"},
    )
    load, (times,) = only_load(told), told.outcome.phases

    lasted_ns = times.end_ns - times.begin_ns
    assert load.requested == ceil(rate * lasted_ns / NS_PER_S)
    assert load.achieved == begun(told)
    assert load.achieved + load.dropped <= load.requested
    if stop_at is None and grace == 30:
        assert load.achieved + load.dropped == load.requested


@pytest.mark.parametrize("run", [run_graph, lambda graph: run_fleet(graph, 2)])
def test_arrivals_whose_users_never_start_are_not_achieved(run) -> None:
    """Every second login fails, and the arrival that it was for is lost."""
    logins = iter(range(1_000))

    def operation(_: Scope) -> Answer:
        return Answer(status=401 if next(logins) % 2 else 200)

    user = user_class(
        task("t", request(operation=Answer(30 * NS_PER_S))),
        on_start=(request("POST /login", operation, measured=False),),
    )
    told = run(make_graph(user, open_phase(10, 2)))

    load = only_load(told)
    assert (load.requested, load.achieved, load.dropped) == (20, 10, 0)
    achieved = judge(parse_threshold("achieved_rate > 50%"), told.outcome.evidence)
    assert achieved.observed == "exactly 50 %"


def test_arrivals_for_which_no_row_is_left_are_not_achieved() -> None:
    """Five rows, each once: the users of the other arrivals have nothing to do."""
    rows = tuple({"n": number} for number in range(5))
    node = DataNode(
        "rows",
        "list",
        ("n",),
        5,
        rows=rows,
        per_user=False,
        unique=True,
        on_end=OnEnd.STOP_USER,
        order=Order.SEQUENTIAL,
    )
    told = run_graph(make_graph(user_class(data=("rows",)), open_phase(10, 2), data=(node,)))

    load = only_load(told)
    assert (load.requested, load.achieved) == (20, 5)


def test_overdue_arrivals_count_in_the_phase_that_asked_for_them() -> None:
    """Given out after the phase's end, and still part of what thresholds on it judge."""
    user = user_class(task("t", request(operation=Answer(NS_PER_MS))))
    told = run_graph(make_graph(user, open_phase(10, 2)), listener=stalling(1.55, 1))
    evidence = told.outcome.evidence

    assert judge(parse_threshold("late < 1"), evidence).observed == "4"
    assert judge(parse_threshold("achieved_rate >= 100%"), evidence).verdict.value == "pass"


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    took_ms=st.lists(st.integers(0, 4000), min_size=1, max_size=20),
    pace_ms=st.integers(50, 2000),
    hold_ms=st.integers(1, 6000),
    grace=st.sampled_from([0, 0.5, 30]),
    users=st.integers(1, 3),
)
@example([1500], 1000, 60_000, 30, 1)
@example([100_000], 1000, 6_000, 30, 1)
@example([100_000], 1000, 6_000, 0, 1)
def test_a_pace_asks_for_what_it_alone_would_have(
    took_ms: list[int], pace_ms: int, hold_ms: int, grace: float, users: int
) -> None:
    """However far overruns move iterations along."""
    lengths = iter(took_ms * 1_000)
    user = user_class(
        task("t", request(operation=lambda _: Answer(next(lengths) * NS_PER_MS))),
        pace_ns=pace_ms * NS_PER_MS,
    )
    told = run_graph(make_graph(user, closed(users, hold_ms / 1000, graceful_stop=grace)))
    load = only_load(told)

    assert load.requested == users * ceil(hold_ms / pace_ms)
    assert load.achieved == begun(told) == told.target.requests
    assert told.outcome.ending is Ending.FINISHED


def test_a_pace_that_is_never_kept_is_seen() -> None:
    """Iterations of one and a half paces: a third of the load is missing, and all are late."""
    user = user_class(task("t", request(operation=Answer(1500 * NS_PER_MS))), pace_ns=NS_PER_S)
    told = run_graph(make_graph(user, closed(1, 60)))
    load = only_load(told)
    (total,) = (t for labels, t in told.outcome.total.totals.items() if labels.kind == "request")

    assert (load.requested, load.achieved, load.late) == (60, 40, 39)
    assert total.latency.percentile(50) == pytest.approx(2 * NS_PER_S, rel=0.004)
    assert total.service.percentile(50) == pytest.approx(1.5 * NS_PER_S, rel=0.004)
    assert (
        judge(parse_threshold("achieved_rate >= 95%"), told.outcome.evidence).observed == "66.67 %"
    )
    assert told.outcome.invalid[0].startswith("39 of 60 iterations of phase `main` started later")


def test_a_user_told_to_stop_owes_nothing_for_later() -> None:
    """Its pace asks for iterations as long as the plan has it."""
    user = user_class(task("t", request(operation=Answer(100 * NS_PER_MS))), pace_ns=NS_PER_S)
    told = run_graph(make_graph(user, closed(4, 10)), stop_at={4.5: "enough"})
    load = only_load(told)

    assert (load.requested, load.achieved) == (20, 20)
