"""What a visitor is: the user for its life, or each iteration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planrunner.engine import Ending
from planrunner.graph.run_graph import Evaluate, PhaseNode, SessionLife, SetNode, UserProgram
from planrunner.language.expressions.values import EvaluationError
from planrunner.protocols.base import Scope
from planrunner.units import NS_PER_S
from tests.support.graphs import (
    Answer,
    Told,
    closed,
    counts,
    make_graph,
    pause,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.loads import counted, open_phase

COUNTED = counted(1, iterations=4)
SIGN_IN = (request("login", measured=False), SetNode((("token", lambda _: "t"),)))
SIGN_OUT = (request("logout", measured=False),)


def once_each(values: Iterator[object]) -> Evaluate:
    def evaluate(_: Scope) -> object:
        value = next(values)
        if isinstance(value, Exception):
            raise value
        return value

    return evaluate


def a_list(_: Scope) -> object:
    return ["first"]


def growing(**program: object) -> UserProgram:
    """Return a class whose requests show what the state holds, and which adds to it."""

    def add(scope: Scope) -> object:
        return [*scope["seen"], "more"]

    steps = (request(), SetNode((("seen", add),)))
    return user_class(task("get", *steps), state=(("seen", a_list),), **program)


def seen(told: Told) -> list[int]:
    """Return how long the state's list was at each request."""
    return [len(scope["seen"]) for scope in told.target.scopes]


@pytest.mark.parametrize(
    ("phase", "session", "lengths", "renewed"),
    [
        (open_phase(4, 1), None, [1, 1, 1, 1], 3),
        (open_phase(4, 1), SessionLife.USER, [1, 2, 3, 4], 0),
        (open_phase(4, 1), SessionLife.ITERATION, [1, 1, 1, 1], 3),
        (COUNTED, None, [1, 2, 3, 4], 0),
        (COUNTED, SessionLife.ITERATION, [1, 1, 1, 1], 3),
    ],
)
def test_a_session_lasts_as_long_as_the_load_or_the_plan_says(
    phase: PhaseNode, session: SessionLife | None, lengths: list[int], renewed: int
) -> None:
    """One user, four iterations: state and session begin anew for each visitor, not the first."""
    told = run_graph(make_graph(growing(session=session), phase))

    assert told.outcome.counters.started["main", "Visitor"] == 1
    assert (seen(told), told.target.renewed) == (lengths, renewed)


def test_arrivals_of_a_class_with_on_start_return_signed_in() -> None:
    """Its author signs in once; that is not taken away by the model of load."""
    told = run_graph(make_graph(growing(on_start=SIGN_IN), open_phase(4, 1)))

    assert counts(told.outcome, "request") == {"login": 1, "GET /": 4}
    assert told.target.renewed == 0


@pytest.mark.parametrize(
    "phase",
    [open_phase(4, 1), COUNTED, closed(1, 0.4), closed(1, 4)],
    ids=["open", "counted", "closed", "paced"],
)
def test_each_iteration_signs_in_and_out(phase: PhaseNode) -> None:
    """Around the iteration, in every model of load, for the last one too."""
    users = user_class(
        on_start=SIGN_IN,
        on_stop=SIGN_OUT,
        session=SessionLife.ITERATION,
        start_names=("token",),
        wait=pause(0.07),
    )
    told = run_graph(make_graph(users, phase))

    by_name = counts(told.outcome, "request")
    assert by_name["login"] == by_name["GET /"] == by_name["logout"] > 1
    assert ["token" in scope for scope in told.target.scopes] == [
        name != "login" for name in ("login", "GET /", "logout") * by_name["login"]
    ]


def test_the_due_time_belongs_to_the_first_request_of_the_visitor() -> None:
    """That is on_start's: the time for signing in is no latency of what follows."""
    slow = request("login", Answer(delay_ns=NS_PER_S // 10), measured=False)
    users = user_class(on_start=(slow,), session=SessionLife.ITERATION)
    told = run_graph(make_graph(users, open_phase(4, 1)))

    (total,) = (
        total for labels, total in told.outcome.total.totals.items() if labels.request == "GET /"
    )
    assert total.latency.max == NS_PER_S // 100


def test_an_iteration_whose_on_start_fails_does_not_run() -> None:
    """It is counted, the run is biased, and the next one is not touched by it."""
    answers = iter([Answer(), Answer(status=500), Answer(), Answer()])
    login = request("login", lambda _: next(answers), measured=False)
    users = user_class(on_start=(login,), on_stop=SIGN_OUT, session=SessionLife.ITERATION)
    told = run_graph(make_graph(users, open_phase(4, 1)))

    assert counts(told.outcome, "request") == {"login": 4, "GET /": 3, "logout": 3}
    assert counts(told.outcome, "failure", kind="iteration") == {"": 3}
    [arrivals] = told.outcome.evidence.arrivals
    assert (arrivals.due, arrivals.started) == (4, 3)
    assert any("1 iteration of users `Visitor`" in words for words in told.outcome.biased)
    assert told.outcome.ending is Ending.FINISHED


def test_users_that_can_never_sign_in_do_not_end_the_run() -> None:
    """Each iteration tries; thresholds have no data, and the run says why."""
    login = request("login", Answer(status=500), measured=False)
    users = user_class(on_start=(login,), session=SessionLife.ITERATION, wait=pause(0.5))
    told = run_graph(make_graph(users, closed(2, 1)))

    assert counts(told.outcome, "request") == {"login": 4}
    assert any("4 iterations of users `Visitor`" in words for words in told.outcome.biased)


@pytest.mark.parametrize("session", [None, SessionLife.ITERATION])
def test_a_state_that_loses_its_value_costs_its_iteration(session: SessionLife | None) -> None:
    """Not the user, nor the iterations after it."""
    values = once_each(iter(["a", EvaluationError("`x` has no value"), "c", "d"]))
    users = user_class(state=(("x", values),), session=session)
    told = run_graph(make_graph(users, open_phase(4, 1)))

    assert [scope["x"] for scope in told.target.scopes] == ["a", "c", "d"]
    assert told.outcome.counters.visit_failures["main", "Visitor"] == 1


def test_an_iteration_that_is_cut_still_signs_out() -> None:
    """What the visitor opened it can close."""
    slow = request("slow", Answer(delay_ns=1000 * NS_PER_S))
    users = user_class(
        task("t", slow), on_start=SIGN_IN, on_stop=SIGN_OUT, session=SessionLife.ITERATION
    )
    told = run_graph(make_graph(users, closed(2, 1, graceful_stop=1)))

    assert counts(told.outcome, "request", "failure") == {
        ("login", ""): 2,
        ("slow", "aborted"): 2,
        ("logout", ""): 2,
    }


def test_a_visitor_that_was_cut_while_signing_in_does_not_sign_out() -> None:
    """As a user that never got to an iteration."""
    slow = request("login", Answer(delay_ns=1000 * NS_PER_S), measured=False)
    users = user_class(on_start=(slow,), on_stop=SIGN_OUT, session=SessionLife.ITERATION)
    told = run_graph(make_graph(users, closed(1, 1, graceful_stop=2)))

    assert counts(told.outcome, "request", "failure") == {("login", "aborted"): 1}
