"""Points at which users wait for each other, on one worker and on several."""

from __future__ import annotations

import pytest

from planrunner.graph.run_graph import ALL_USERS, BarrierNode, GroupNode, OnFail, Stage
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    closed,
    counts,
    make_graph,
    request,
    run_graph,
    task,
    think,
    user_class,
)
from tests.support.loads import counted, open_phase
from tests.support.remote_pools import run_fleet

FLEETS = pytest.mark.parametrize("workers", [1, 2, 3])


def barrier(users=ALL_USERS, *, timeout=30, name="sale"):
    return BarrierNode(name, users, timeout * NS_PER_S)


def run(graph, workers=1):
    return run_graph(graph) if workers == 1 else run_fleet(graph, workers)


def after(seconds, *steps, name="t"):
    """A class of one user that thinks first."""
    return user_class(task(name, think(seconds), *steps), name=name, count=1)


@FLEETS
def test_so_many_users_go_on_together(workers):
    """The others wait for the next round."""
    classes = [after(number, barrier(3), request(), name=f"U{number}") for number in range(1, 7)]
    phase = counted(6, per_user=1, classes=[one.name for one in classes])

    told = run(make_graph(classes, phase), workers)

    starts = [round(second) for second in told.asked()]
    assert starts == [3, 3, 3, 6, 6, 6]


@FLEETS
def test_all_users_go_on_together(workers):
    """Those of other classes, which have no such barrier, are not waited for."""
    classes = (
        after(1, barrier(), request(), name="A"),
        after(4, barrier(), request(), name="B"),
        after(9, request("other"), name="C"),
    )

    told = run(make_graph(classes, counted(3, per_user=1, classes=("A", "B", "C"))), workers)

    assert [round(second) for second in told.asked()] == [4, 4, 9]


@FLEETS
def test_all_users_of_every_worker_begin_together(workers):
    """Whoever comes first does not take its own worker's users for all."""
    graph = make_graph(user_class(task("t", barrier(), request())), counted(6, per_user=5))

    told = run(graph, workers)

    rounds = [told.asked()[6 * number : 6 * number + 6] for number in range(5)]
    assert [len({round(second, 6) for second in one}) for one in rounds] == [1] * 5


@FLEETS
def test_who_leaves_is_waited_for_no_more(workers):
    """The second user is told to stop after seven seconds, in the middle of its task."""
    classes = (
        user_class(task("t", barrier(), request()), name="Short", count=1),
        user_class(task("t", think(5), barrier(), request()), name="Long", count=1),
    )
    phase = closed(
        2,
        0,
        stages=(
            Stage("1", 0, 2),
            Stage("2", 7 * NS_PER_S, 2),
            Stage("3", 0, 1),
            Stage("4", NS_PER_S, 1),
        ),
        classes=("Short", "Long"),
    )

    told = run(make_graph(classes, phase), workers)

    assert counts(told.outcome, "failure", kind="iteration").keys() == {""}
    assert counts(told.outcome, "user", "failure")["Short", ""] > 3


@FLEETS
def test_users_that_are_left_over_are_not_kept(workers):
    """Ten iterations of four users: the last two have nobody else to wait for."""
    graph = make_graph(user_class(task("t", barrier(4), request())), counted(4, iterations=10))

    told = run(graph, workers)

    assert counts(told.outcome, "request", "failure") == {("GET /", ""): 10}


@FLEETS
def test_a_wait_that_is_over_is_a_timeout(workers):
    """Under the name of the step; the iteration ends."""
    classes = (
        after(0, barrier(2, timeout=3), request(), name="A"),
        after(60, barrier(2), request(), name="B"),
    )

    told = run(make_graph(classes, closed(2, 10, classes=("A", "B"))), workers)

    failed = counts(told.outcome, "request", "failure")
    assert failed["barrier sale", "timeout"] == 3
    assert any(
        "`barrier sale` failed: waited 3s for 2 users" in notice for notice in told.outcome.notices
    )


@FLEETS
def test_the_end_of_a_phase_opens_it(workers):
    """Who has sent nothing begins nothing; others finish their iteration."""
    classes = (
        user_class(task("t", barrier(3), request()), name="First", count=1),
        user_class(task("t", request("a"), barrier(3), request("b")), name="Later", count=1),
    )

    told = run(make_graph(classes, closed(2, 1, classes=("First", "Later"))), workers)

    assert counts(told.outcome, "request", "failure") == {("a", ""): 1, ("b", ""): 1}
    assert told.seconds(told.outcome.ended_ns) < 2


def test_the_wait_is_no_part_of_a_group():
    """Nor of the latency of what follows."""
    inside = GroupNode("g", (barrier(2), request()))
    classes = (after(0, inside, name="A"), after(5, inside, name="B"))

    told = run(make_graph(classes, counted(2, per_user=1, classes=("A", "B"))))

    longest = [
        total.latency.max
        for labels, total in told.outcome.total.totals.items()
        if labels.kind in ("request", "group")
    ]
    assert longest == [10 * NS_PER_MS] * 4


@FLEETS
def test_users_begin_together_after_on_start(workers):
    """A user that does not get there is not waited for."""
    signing_in = user_class(
        task("t", request()),
        name="Visitor",
        on_start=(think(1), barrier()),
    )

    told = run(make_graph(signing_in, closed(4, 1.5)), workers)

    assert {round(second, 3) for second in told.asked()[:4]} == {1.0} if workers == 1 else True
    assert signing_in.on_start_fail is OnFail.STOP_USER
    assert min(told.asked()) == pytest.approx(1, abs=0.4)


@FLEETS
def test_arrivals_can_wait_for_a_number_of_others(workers):
    """Each arrival is a user; three of them go on at the third's time."""
    graph = make_graph(user_class(task("t", barrier(3), request())), open_phase(3, 2))

    told = run(graph, workers)

    assert counts(told.outcome, "failure") == {"": 6}


@FLEETS
def test_each_level_of_a_phase_begins_with_nobody(workers):
    """Two phases have barriers of their own, though the name is the same."""
    phases = (counted(2, per_user=2), counted(4, per_user=2, name="then"))
    graph = make_graph(user_class(task("t", barrier(), request())), *phases)

    told = run(graph, workers)

    assert counts(told.outcome, "phase", "failure") == {("main", ""): 4, ("then", ""): 8}
