"""Loads that somebody changes while they run, in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.engine import ChangedLoad, Event, Steering, Tick
from planrunner.errors import UsageError
from planrunner.graph.loads import BY_HAND, SetLevel
from planrunner.graph.run_graph import PhaseNode
from planrunner.metrics.judging.each import judge
from planrunner.metrics.thresholds import parse_threshold
from planrunner.schedule.population import Stage
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    Answer,
    Told,
    closed,
    counts,
    make_graph,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.loads import counted, open_phase, per_second
from tests.support.remote_pools import run_fleet

Hand = Callable[[Steering], object]
QUICK = Answer(delay_ns=200 * NS_PER_MS)


def steered(phase: PhaseNode, by_second: dict[int, Hand], *, workers: int = 1) -> Told:
    """Run a phase, and do something when each of the seconds is over."""
    steering = Steering()

    def listen(event: Event) -> None:
        if isinstance(event, Tick) and event.second in by_second:
            by_second[event.second](steering)

    graph = make_graph(user_class(task("get", request(operation=QUICK))), phase)
    if workers > 1:
        return run_fleet(graph, workers, listener=listen, steering=steering)
    return run_graph(graph, listener=listen, steering=steering)


def to(level: SetLevel) -> Hand:
    return lambda steering: steering.change("main", level)


def users(told: Told) -> list[int]:
    return [sum(tick.snapshot.users.values()) for tick in told.ticks]


def test_users_come_and_go_at_once_and_stay_to_the_planned_end() -> None:
    told = steered(closed(4, 6), {2: to(9), 4: to(2)})

    # A user that is told to stop finishes its iteration of 200 ms first.
    assert users(told) == [4, 4, 9, 9, 2, 2]
    assert told.seconds(told.outcome.phases[0].end_ns) == 6
    assert set(counts(told.outcome, "failure")) == {""}


def test_stages_that_were_still_to_come_are_given_up() -> None:
    stages = [Stage("1", 0, 4), Stage("2", 2 * NS_PER_S, 4), Stage("3", 4 * NS_PER_S, 40)]

    told = steered(closed(0, 0, stages=stages), {3: to(5)})

    assert users(told)[2:] == [14, 5, 5, 5]


def test_arrivals_have_another_rate_from_the_moment_of_the_change() -> None:
    told = steered(open_phase(10, 3), {1: to(per_second(4))})

    assert told.asked() == pytest.approx(
        [n / 10 for n in range(11)] + [1 + n / 4 for n in range(8)], abs=2e-9
    )


def test_rates_of_classes_keep_their_proportion() -> None:
    steering = Steering()
    classes = [user_class(task("t", request()), name=name) for name in "AB"]
    graph = make_graph(classes, open_phase({"A": 30, "B": 10}, 2))

    def listen(event: Event) -> None:
        if isinstance(event, Tick) and event.second == 1:
            steering.change("main", per_second(4))

    told = run_graph(graph, listener=listen, steering=steering)
    assert counts(told.outcome, "user") == {"A": 31 + 3, "B": 11 + 1}


def test_a_pause_lets_nobody_begin_and_ends_with_what_was_before() -> None:
    hands: dict[int, Hand] = {1: lambda s: s.pause("main"), 3: lambda s: s.resume("main")}

    told = steered(open_phase(10, 4), hands)

    assert [n for n in told.asked() if 1 < n < 3] == []
    assert len([n for n in told.asked() if n >= 3]) == 10


def test_a_level_of_nobody_is_a_pause_and_a_refusal_ends_none() -> None:
    """Whoever set 0 may resume, also after asking for what can't be."""

    def refused(steering: Steering) -> None:
        with pytest.raises(UsageError):
            steering.change("main", -1)

    hands: dict[int, Hand] = {1: to(0), 2: refused, 3: lambda s: s.resume("main")}

    assert users(steered(closed(4, 5), hands)) == [4, 0, 0, 4, 4]


def test_what_begins_after_a_change_is_no_result() -> None:
    """It is told apart by its stage; thresholds, totals and the requested load end before it."""
    told = steered(closed(4, 6), {2: to(8)})
    outcome = told.outcome

    assert counts(outcome, "stage", "warmup") == {("hold", False): 44, (BY_HAND, True): 156}
    assert [(one.start_ns, one.end_ns) for one in outcome.measured()] == [
        (outcome.started_ns, outcome.started_ns + 2 * NS_PER_S + 1)
    ]
    found = judge(parse_threshold("count == 44"), outcome.evidence)
    assert found.verdict.value == "pass"
    (load,) = outcome.loads
    assert (load.requested, load.achieved) == (4, 4)
    (reason,) = (one for one in outcome.biased if one.startswith("changed by hand"))
    assert reason.startswith("changed by hand: the load of phase `main` went from 4 users to 8")
    (change,) = outcome.changes
    assert (change.phase, change.at_ns, change.before, change.after) == (
        *("main", 2 * NS_PER_S + 1),
        *("4 users", "8 users"),
    )


def test_arrivals_after_a_change_are_not_asked_for_by_the_plan() -> None:
    told = steered(open_phase(10, 4), {2: to(per_second(100))})

    (load,) = told.outcome.loads
    assert (load.requested, load.achieved, load.dropped) == (21, 21, 0)


def test_a_change_is_told_as_it_happens() -> None:
    told = steered(closed(1, 3), {1: to(2)})

    (event,) = [event for event in told.events if isinstance(event, ChangedLoad)]
    assert str(event) == "`main` from 1 user to 2 users"


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("level", [0, 1, 7, 20])
def test_several_workers_have_it_together(workers: int, level: int) -> None:
    told = steered(closed(5, 6), {2: to(level)}, workers=workers)

    assert users(told) == [5, 5, *[level] * 4]


def test_arrivals_of_several_workers_add_up() -> None:
    told = steered(open_phase(10, 5), {2: to(per_second(40))}, workers=3)

    (change,) = told.outcome.changes
    left_s = told.seconds(told.outcome.phases[0].end_ns) - change.at_ns / NS_PER_S
    by_hand = counts(told.outcome, "stage")[BY_HAND]
    assert by_hand == pytest.approx(40 * left_s, abs=1)


@pytest.mark.parametrize(
    ("phase", "hand", "words"),
    [
        (
            counted(2, iterations=1000),
            to(3),
            "can't be changed by hand: it is a counted",
        ),
        (closed(2, 3), to(per_second(3)), "this phase has users, and no rate"),
        (closed(2, 3), to(-1), "a phase has 0 to 1,000,000 users"),
        (open_phase(2, 3), to(3), "arrivals decide how many users this phase has"),
        (closed(2, 3), lambda s: s.change("other", 3), "phase `other` doesn't run"),
        (closed(2, 3), lambda s: s.resume("main"), "phase `main` is not paused"),
    ],
)
def test_what_can_not_be_is_said_and_changes_nothing(
    phase: PhaseNode, hand: Hand, words: str
) -> None:
    said: list[str] = []

    def tried(steering: Steering) -> None:
        with pytest.raises(UsageError) as error:
            hand(steering)
        said.append(error.value.message)

    told = steered(phase, {1: tried})

    assert words in said[0]
    assert told.outcome.changes == ()


@settings(max_examples=10)
@given(
    st.lists(
        st.tuples(st.integers(1, 8), st.integers(0, 12)), max_size=4, unique_by=lambda one: one[0]
    ),
    st.integers(1, 12),
)
def test_users_are_those_of_the_last_change(changes: list[tuple[int, int]], planned: int) -> None:
    told = steered(closed(planned, 9, ramp_up=0), {at: to(level) for at, level in changes})

    wanted = [
        next((level for at, level in sorted(changes, reverse=True) if at < second), planned)
        for second in range(1, 9)
    ]
    assert users(told)[:8] == wanted, "the ninth may be the end"
