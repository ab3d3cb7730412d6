"""Tasks that follow each other, as `next` says: a Markov chain for each user."""

from __future__ import annotations

from itertools import pairwise

import pytest

from planrunner.graph.run_graph import Needs, SessionLife, SetNode, TaskPick, TaskProgram
from planrunner.language.expressions.expression import parse
from planrunner.results.aggregate import make_task_mix, mix_errors
from tests.support.graphs import closed, make_graph, pause, request, run_graph, user_class
from tests.support.loads import counted, open_phase
from tests.support.remote_pools import run_fleet


def expr(source):
    return parse(source).lower({}).evaluate


def linked(name, weight=1, *, needs=None, steps=(), **following):
    return TaskProgram(
        name, weight, (*steps, request(name)), needs=needs, following=tuple(following.items())
    )


def needs(condition, otherwise="skip"):
    return Needs(expr(condition), condition, otherwise)


def order(graph):
    """The tasks of one user in their order."""
    seen = []

    def seeing(task):
        note = SetNode((("seen", lambda _: seen.append(task.name)),))
        return TaskProgram(**{**fields(task), "steps": (note, *task.steps)})

    def fields(task):
        return {name: getattr(task, name) for name in task.__slots__}

    users = [
        type(program)(
            **{
                **{name: getattr(program, name) for name in program.__slots__},
                "tasks": tuple(map(seeing, program.tasks)),
            }
        )
        for program in graph.users
    ]
    told = run_graph(make_graph(users, *graph.phases))
    return seen, told


def one_user(*tasks, iterations=400, **program):
    return order(make_graph(user_class(*tasks, **program), counted(1, iterations=iterations)))


@pytest.mark.slow
def test_the_next_pick_is_drawn_from_what_may_follow():
    """By its own weights; a task without `next` is followed by any."""
    seen, told = one_user(linked("a", 5, b=3, c=1), linked("b", a=1), linked("c"), iterations=4000)

    after = {name: [y for x, y in pairwise(seen) if x == name] for name in "abc"}
    assert after["a"].count("b") / len(after["a"]) == pytest.approx(0.75, abs=0.04)
    assert set(after["a"]) == {"b", "c"}
    assert set(after["b"]) == {"a"}
    assert after["c"].count("a") / len(after["c"]) == pytest.approx(5 / 7, abs=0.06)
    assert mix_errors(told.outcome.task_counts)["Visitor"] < 2


def test_the_declared_share_is_that_of_the_long_run():
    """And not that of the weights, which are those of the first pick."""
    _, told = one_user(linked("a", 9, b=1), linked("b", a=1))

    mix = {task.task: task for task in make_task_mix(told.outcome.task_counts)}

    assert mix["a"].declared_percent == pytest.approx(50)
    assert mix["a"].share_percent == pytest.approx(50)
    assert mix["a"].weight == 9


def test_a_skipped_pick_leaves_the_user_where_it_was():
    """The next one is drawn from the same tasks."""
    never = linked("b", needs=needs("false"), a=1)

    seen, told = one_user(linked("a", 1000, b=3, c=1), never, linked("c", a=1))

    assert set(seen) == {"a", "c"}
    assert all(x != y for x, y in pairwise(seen))
    assert mix_errors(told.outcome.task_counts)["Visitor"] < 3


def test_a_refused_pick_is_drawn_again_among_those_that_may_follow():
    """And from no others; when none is left the pick is skipped."""
    refused = linked("b", needs=needs("false", "repick"), a=1)

    seen, told = one_user(linked("a", 1000, b=9, c=1), refused, linked("c", a=1), linked("d"))

    assert set(seen[1:]) == {"a", "c"}
    assert [x for x, y in pairwise(seen) if y == "c"] == ["a"] * seen[1:].count("c")
    assert mix_errors(told.outcome.task_counts)["Visitor"] < 3


def test_a_substitute_leads_on():
    """It is the task that ran."""
    instead = linked("b", needs=needs("false", "c"), a=1)

    seen, _ = one_user(linked("a", 1000, b=1), instead, linked("c", d=1), linked("d", a=1))

    assert seen[seen.index("a") :][:6] == ["a", "c", "d", "a", "c", "d"]


def test_balanced_picks_keep_the_shares_after_each_task():
    """Every round of what may follow is exact."""
    seen, _ = one_user(linked("a", 1000, a=1, b=3), linked("b", a=1), pick=TaskPick.BALANCED)

    after = [y for x, y in pairwise(seen) if x == "a"]
    assert after.count("b") / len(after) == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize(
    ("phase", "session"),
    [(open_phase(100, 3), None), (counted(1, iterations=300), SessionLife.ITERATION)],
)
def test_a_new_visitor_has_run_nothing_before(phase, session):
    """Its first task is its only one, and is drawn by weight."""
    graph = make_graph(user_class(linked("a", b=1), linked("b", 3, b=1), session=session), phase)

    _, told = order(graph)

    mix = {task.task: task for task in make_task_mix(told.outcome.task_counts)}
    assert mix["b"].declared_percent == 75
    assert mix["b"].share_percent == pytest.approx(75, abs=6)


@pytest.mark.slow
def test_the_mix_is_that_of_one_worker():
    """Each user has its own chain, whoever runs it."""
    tasks = (linked("a", 3, a=1, b=1), linked("b", a=2, c=1), linked("c"))
    graph = make_graph(user_class(*tasks, wait=pause(0.1)), closed(6, 20))

    alone, together = run_graph(graph).outcome, run_fleet(graph, 2).outcome

    assert together.counters.picks == alone.counters.picks


@pytest.mark.slow
def test_a_class_that_users_enter_and_leave_is_not_biased():
    """Signed in and out as two sets of tasks, whose `needs` repick: as nested task sets do."""
    user = needs("user_name", "repick")
    nobody = needs("user_name is none", "repick")
    sign_in = SetNode((("user_name", lambda _: "ann"),))
    sign_out = SetNode((("user_name", lambda _: None),))
    tasks = (
        linked("login page", 5, needs=nobody),
        linked("signup page", 5, needs=nobody),
        linked("signup", 1, needs=nobody, steps=(sign_in,)),
        linked("home", 10, needs=user),
        linked("index", 10, needs=user),
        linked("payment", 5, needs=user),
        linked("deposit", 5, needs=user),
        linked("login", 5, needs=user),
        linked("logout", 1, needs=user, steps=(sign_out,)),
    )
    errors = []
    for seed in range(30):
        graph = make_graph(
            user_class(*tasks, wait=pause(1), state=(("user_name", lambda _: None),)),
            closed(10, 30, ramp_up=10),
            seed=seed,
        )
        outcome = run_graph(graph).outcome
        errors += [doubt for doubt in outcome.biased if "off their weights" in doubt]

    assert errors == []
