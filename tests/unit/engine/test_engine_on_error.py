"""`on_error`: what follows a request that failed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planrunner.engine import Ending
from planrunner.graph.run_graph import GroupNode, OnError, ParallelNode, StepNode, TaskProgram
from tests.support.graphs import (
    Answer,
    closed,
    counts,
    make_graph,
    pause,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.loads import open_phase

BAD = request("bad", Answer(status=500))


def doing(on_error: OnError, *steps: StepNode) -> TaskProgram:
    return replace(task("t", *steps), on_error=on_error)


@pytest.mark.parametrize(
    ("on_error", "after"),
    [(OnError.CONTINUE, 5), (OnError.STOP_ITERATION, 0), (OnError.STOP_USER, 0)],
)
def test_the_steps_after_a_failed_request(on_error: OnError, after: int) -> None:
    """Run, or the iteration has ended; the failure is the request's in each case."""
    users = user_class(doing(on_error, BAD, request("next")), wait=pause(0.98))
    told = run_graph(make_graph(users, closed(1, 4.5)))

    by_name = counts(told.outcome, "request", "failure")
    assert by_name.get(("next", ""), 0) == after
    assert by_name["bad", "status"] == (1 if on_error is OnError.STOP_USER else 5)
    assert set(counts(told.outcome, "failure", kind="iteration")) == {"status"}


def test_a_group_has_its_own_and_no_latency_when_it_is_left() -> None:
    """What it begins to do is left unfinished, so how long that took says nothing."""
    group = GroupNode("g", (BAD, request("inside")), on_error=OnError.STOP_ITERATION)
    told = run_graph(make_graph(user_class(task("t", BAD, group, request("n"))), closed(1, 0.03)))

    assert counts(told.outcome, "request") == {"bad": 4}
    assert counts(told.outcome, kind="group") == {}


def test_a_group_takes_back_what_the_task_says() -> None:
    """For the requests in it, not for those after it."""
    group = GroupNode("g", (BAD, request("inside")), on_error=OnError.CONTINUE)
    steps = (group, BAD, request("never"))
    told = run_graph(make_graph(user_class(doing(OnError.STOP_ITERATION, *steps)), closed(1, 0.03)))

    assert counts(told.outcome, "request") == {"bad": 2, "inside": 1}
    assert counts(told.outcome, "failure", kind="group") == {"status": 1}


def test_requests_side_by_side_all_end() -> None:
    """Then the iteration does."""
    both = ParallelNode((BAD, request("fine")))
    told = run_graph(
        make_graph(user_class(doing(OnError.STOP_ITERATION, both, request("n"))), closed(1, 0.01))
    )

    assert counts(told.outcome, "request") == {"bad": 1, "fine": 1}


def test_users_who_stop_are_counted() -> None:
    """The load is not what the phase says, though the plan says so."""
    users = user_class(doing(OnError.STOP_USER, BAD), wait=pause(1))
    told = run_graph(make_graph(users, closed(3, 10, ramp_up=3)))

    assert counts(told.outcome, "request") == {"bad": 3}
    assert any("3 of 3 users `Visitor`" in words for words in told.outcome.biased)
    assert told.outcome.ending is Ending.FINISHED


def test_the_next_arrival_is_another_users() -> None:
    """A user that stopped takes none."""
    told = run_graph(make_graph(user_class(doing(OnError.STOP_USER, BAD)), open_phase(4, 1)))

    assert counts(told.outcome, "request") == {"bad": 4}
    assert told.outcome.counters.started["main", "Visitor"] == 4


def test_the_end_says_where_it_was() -> None:
    """Task and line, as of every iteration that ended early."""
    told = run_graph(make_graph(user_class(doing(OnError.STOP_ITERATION, BAD)), closed(1, 0.01)))

    [reason] = told.outcome.counters.ended_early
    assert "task `t`" in reason
