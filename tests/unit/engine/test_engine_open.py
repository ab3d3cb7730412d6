"""The open model in virtual time: due times hold whatever the target does."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from planrunner.engine import Event, Tick
from planrunner.graph.run_graph import Needs
from planrunner.metrics.judging.each import judge
from planrunner.metrics.thresholds import parse_threshold
from planrunner.protocols.base import Scope
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    Answer,
    FakeTarget,
    Told,
    counts,
    make_graph,
    request,
    run_graph,
    task,
    think,
    user_class,
)
from tests.support.loads import open_phase
from tests.support.virtual_time import VirtualTimeLoop


def slow(seconds: float, **more: object) -> object:
    answer = Answer(delay_ns=round(seconds * NS_PER_S))
    return user_class(task("get", request(operation=answer)), **more)


def arrivals(told: Told) -> tuple[int, int, int, int]:
    """Due, started, dropped, late."""
    found = told.outcome.evidence.arrivals
    return (
        sum(one.due for one in found),
        sum(one.started for one in found),
        sum(one.dropped for one in found),
        sum(one.late for one in found),
    )


def test_iterations_start_exactly_when_they_are_due() -> None:
    """Ten a second for two seconds: each tenth of a second, whatever a request takes."""
    told = run_graph(make_graph(slow(0.95), open_phase(10, 2)))

    assert told.asked() == pytest.approx([n / 10 for n in range(20)], abs=1e-9)
    assert arrivals(told) == (20, 20, 0, 0)


def test_slow_target_drops_arrivals_instead_of_slowing_down() -> None:
    """Four users take 0.95 s each: of 20 arrivals 8 find one of them idle."""
    told = run_graph(make_graph(slow(0.95), open_phase(10, 2, max_users=4)))

    assert told.asked() == pytest.approx([0, 0.1, 0.2, 0.3, 1, 1.1, 1.2, 1.3], abs=1e-9)
    assert arrivals(told) == (20, 8, 12, 0)
    assert counts(told.outcome, "request") == {"GET /": 8}


def test_stages_of_rates_follow_the_integral() -> None:
    """To 10/s in 10 s are 50 arrivals, half of them in the last 2.93 s; then 10/s."""
    told = run_graph(make_graph(slow(0.01), open_phase(0, stages=[(10, 10), (1, 10)])))

    asked = told.asked()
    assert len(asked) == 60
    assert asked[:3] == pytest.approx([0, 2**0.5, 2.0], abs=1e-8)
    assert asked[50:52] == pytest.approx([10, 10.1], abs=1e-9)
    assert counts(told.outcome, "stage") == {"1": 50, "2": 10}


def test_latency_runs_from_the_due_time_when_a_connection_takes_its_time() -> None:
    """`service_time` runs from the first byte written."""
    answer = Answer(delay_ns=10 * NS_PER_MS, connect_ns=40 * NS_PER_MS)
    told = run_graph(make_graph(user_class(task("get", request(operation=answer))), open_phase(5)))

    (total,) = (t for labels, t in told.outcome.total.totals.items() if labels.kind == "request")
    assert (total.latency.max, total.service.max) == (50 * NS_PER_MS, 10 * NS_PER_MS)


def test_only_the_first_request_of_an_iteration_has_its_due_time() -> None:
    """What follows is timed from its own send."""
    steps = (request("GET /a"), think(1), request("GET /b"))
    told = run_graph(make_graph(user_class(task("both", *steps)), open_phase(3)))

    longest = {
        labels.request: total.latency.max
        for labels, total in told.outcome.total.totals.items()
        if labels.kind == "request"
    }
    assert longest == {"GET /a": 10 * NS_PER_MS, "GET /b": 10 * NS_PER_MS}


def test_users_are_taken_up_again_the_most_recently_idle_first() -> None:
    """Requests of 0.15 s every 0.1 s need two users, and no third one starts."""
    told = run_graph(make_graph(slow(0.15), open_phase(10, 5)))

    assert told.outcome.counters.started["main", "Visitor"] == 2


def test_arrivals_are_split_by_weight() -> None:
    """Of 100, three quarters are of the class with three quarters of the weight."""
    users = [slow(0.01, name="A", weight=3), slow(0.01, name="B", weight=1)]
    told = run_graph(make_graph(users, open_phase(50, 2, classes=("A", "B"))))

    assert counts(told.outcome, "user") == {"A": 75, "B": 25}


def test_each_class_can_have_a_rate_of_its_own() -> None:
    """Both start at 0 and keep their own distance."""
    users = [slow(0.01, name="A"), slow(0.01, name="B")]
    told = run_graph(make_graph(users, open_phase({"A": 4, "B": 2}, 1)))

    assert told.asked() == pytest.approx([0, 0, 0.25, 0.5, 0.5, 0.75])
    assert counts(told.outcome, "user") == {"A": 4, "B": 2}


def test_an_idle_user_of_another_class_makes_room() -> None:
    """With room for one user, classes that take turns replace one another: none is dropped."""
    users = [slow(0.01, name="A"), slow(0.01, name="B")]
    told = run_graph(make_graph(users, open_phase(10, 1, classes=("A", "B"), max_users=1)))

    assert arrivals(told)[2] == 0
    assert counts(told.outcome, "user") == {"A": 5, "B": 5}


def test_iterations_that_run_at_the_end_may_finish_and_are_then_aborted() -> None:
    """Requests of 3 s with a graceful stop of 2.55 s: those of the last 0.45 s are cut."""
    told = run_graph(make_graph(slow(3), open_phase(10, 1, graceful_stop=2.55)))

    assert counts(told.outcome, "failure") == {"": 6, "aborted": 4}
    assert told.seconds(told.outcome.ended_ns) == pytest.approx(3.55)


def test_warm_up_arrivals_are_counted_apart() -> None:
    """A threshold on the rate sees what is due after the warm-up only."""
    told = run_graph(make_graph(slow(0.95), open_phase(10, 4, warmup=2, max_users=4)))
    evidence = told.outcome.evidence

    dropped = judge(parse_threshold("dropped < 1"), evidence)
    share = judge(parse_threshold("achieved_rate >= 40%"), evidence)
    rate = judge(parse_threshold("achieved_rate >= 4/s"), evidence)

    assert dropped.observed == "12"
    assert (share.verdict.value, share.observed) == ("pass", "40 %")
    assert (rate.verdict.value, rate.observed) == ("pass", "4/s")


def test_only_arrivals_after_the_warm_up_make_numbers_doubtful() -> None:
    """What was dropped before is in none of them; the load that is shown has all of it."""

    def first_ones_are_slow(scope: Scope) -> Answer:
        return Answer(delay_ns=(1_500 if scope["iteration"] < 4 else 10) * NS_PER_MS)

    warming = user_class(task("get", request(operation=first_ones_are_slow)), uses_iteration=True)
    phase = open_phase(10, 4, warmup=2, max_users=4)
    warmed, dropping = (run_graph(make_graph(one, phase)) for one in (warming, slow(0.95)))

    assert warmed.outcome.invalid == warmed.outcome.biased == ()
    assert (warmed.outcome.loads[0].requested, warmed.outcome.loads[0].dropped) == (40, 11)
    (reason,) = dropping.outcome.invalid
    assert "dropped 12 of 20 arrivals" in reason


def test_a_skipped_pick_sends_nothing_and_leaves_no_due_time_behind() -> None:
    """The next arrival's request is not timed from the one that was skipped."""
    needs = Needs(lambda scope: scope["iteration"] % 2 == 1, "odd")
    odd = user_class(
        task("get", request()).__class__("get", 1, (request(),), needs=needs), uses_iteration=True
    )
    told = run_graph(make_graph(odd, open_phase(10)))

    assert told.asked() == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    assert all(t.latency.max == 10 * NS_PER_MS for t in told.outcome.total.totals.values())


def test_a_request_of_on_start_takes_the_due_time_of_the_user_s_first_arrival() -> None:
    """Logging in is no result, so it doesn't show as latency of what follows."""
    login = request("POST /login", Answer(delay_ns=NS_PER_S), measured=False)
    told = run_graph(make_graph(user_class(on_start=(login,)), open_phase(2, 1)))

    longest = {
        labels.request: total.latency.max
        for labels, total in told.outcome.total.totals.items()
        if labels.kind == "request"
    }
    assert longest == {"POST /login": NS_PER_S, "GET /": 10 * NS_PER_MS}


def test_poisson_arrivals_are_the_same_with_the_same_seed() -> None:
    """And others with another."""
    times = [
        run_graph(make_graph(slow(0.01), open_phase(20, 5, arrivals="poisson"), seed=seed)).asked()
        for seed in (1, 1, 2)
    ]

    assert times[0] == times[1] != times[2]
    assert 60 < len(times[0]) < 140


def test_the_phase_can_be_stopped() -> None:
    """No arrival is due any more, and the counts end there."""
    told = run_graph(make_graph(slow(0.01), open_phase(10, 60)), stop_at={1.05: "enough"})

    assert len(told.asked()) == 11
    assert arrivals(told) == (11, 11, 0, 0)
    (times,) = told.outcome.phases
    assert told.seconds(times.end_ns) == pytest.approx(1.05)


def test_a_run_ends_when_no_user_gets_past_on_start() -> None:
    """After ten that failed, nobody expects the eleventh to do better."""
    bad = request("POST /login", Answer(status=401), measured=False)
    told = run_graph(make_graph(user_class(on_start=(bad,)), open_phase(1, 60)))

    assert told.outcome.ending.value == "cannot-run"
    assert told.outcome.counters.start_failures["main", "Visitor"] == 10


def test_an_arrival_given_out_at_the_end_is_run() -> None:
    """A stall lasts to beyond the end: the user who gets one is told to stop before it wakes."""

    def stall(event: Event) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(event, Tick) and isinstance(loop, VirtualTimeLoop) and not stalls:
            stalls.append(event)
            loop.stall(NS_PER_S)

    stalls: list[Event] = []
    told = run_graph(make_graph(slow(0.01), open_phase(10, 1.5)), listener=stall)

    assert stalls
    assert len(told.asked()) == arrivals(told)[1] == 15


@pytest.mark.slow
def test_an_hour_of_arrivals_is_exact() -> None:
    """7/s for an hour are 25,200, the last one due at 25,199 / 7 s."""
    told = run_graph(make_graph(slow(0.001), open_phase(7, 3600)))

    assert len(told.target.asked_ns) == 25_200
    assert told.target.asked_ns[-1] - told.outcome.started_ns == 25_199 * NS_PER_S // 7
    assert Counter(int(second) for second in told.asked()) == Counter(dict.fromkeys(range(3600), 7))


def test_nothing_that_was_opened_stays_open() -> None:
    """Users who were idle at the end leave too."""
    target = FakeTarget()
    run_graph(make_graph(slow(0.3), open_phase(10, 1)), target=target)

    assert target.sessions_opened == target.sessions_closed > 0
