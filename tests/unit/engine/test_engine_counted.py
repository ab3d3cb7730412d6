"""A number of iterations, a pace, a cap on requests, and phases side by side: in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planrunner.graph.loads import ClosedLoad, CountedLoad
from planrunner.graph.run_graph import GroupNode, ParallelNode, PhaseNode, Stage
from planrunner.metrics.judging.each import judge
from planrunner.metrics.thresholds import parse_threshold
from planrunner.units import NS_PER_MS, NS_PER_S
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
from tests.support.loads import counted, ns, per_second


def taking(seconds: float, **more: object) -> object:
    return user_class(task("get", request(operation=Answer(ns(seconds)))), **more)


def end_of(told: Told, phase: int = 0) -> float:
    return told.seconds(told.outcome.phases[phase].end_ns)


def test_shared_iterations_are_exact_and_the_phase_ends_with_the_last() -> None:
    """Ten iterations of 1 s by three users take 4 s; nobody waits after the last."""
    told = run_graph(make_graph(taking(1), counted(3, iterations=10)))

    assert counts(told.outcome, "request") == {"GET /": 10}
    assert end_of(told) == pytest.approx(4)
    assert told.outcome.measured()[0].end_ns - told.outcome.started_ns == 4 * NS_PER_S


def test_each_user_has_its_own_iterations() -> None:
    """Exactly four each, however fast the others are."""
    told = run_graph(make_graph(taking(0.5), counted(3, per_user=4)))

    assert set(told.target.by_user.values()) <= {4}
    assert counts(told.outcome, "request") == {"GET /": 12}
    assert end_of(told) == pytest.approx(2)


def test_a_wait_follows_every_iteration_but_the_last() -> None:
    """Three of 1 s with a wait of 10 s in between: 23 s."""
    told = run_graph(make_graph(taking(1, wait=pause(10)), counted(1, per_user=3)))

    assert end_of(told) == pytest.approx(23)


def test_who_waits_when_the_last_iteration_is_taken_leaves() -> None:
    """Two users, three iterations of 1 s: the one that waits 60 s has nothing to wait for."""
    told = run_graph(make_graph(taking(1, wait=pause(60)), counted(2, iterations=3)))

    assert end_of(told) == pytest.approx(62)


def test_the_longest_duration_ends_a_phase_and_says_so() -> None:
    """Iterations that were left make the run biased."""
    told = run_graph(make_graph(taking(1), counted(1, iterations=100, max_duration=5.5)))

    assert counts(told.outcome, "failure") == {"": 6}
    assert told.outcome.counters.overtime == {"main": 1}
    assert "max_duration" in told.outcome.biased[0]


def test_more_users_than_iterations() -> None:
    """Those who come too late do nothing, and the phase still ends."""
    told = run_graph(make_graph(taking(1), counted(5, iterations=2)))

    assert counts(told.outcome, "request") == {"GET /": 2}
    assert end_of(told) == pytest.approx(1)


def test_a_pace_spaces_starts_and_not_pauses() -> None:
    """Requests of 0.3 s with a pace of 1 s start at 0, 1, 2 ..."""
    told = run_graph(make_graph(taking(0.3, pace_ns=NS_PER_S), closed(1, 4.5)))

    assert told.asked() == pytest.approx([0, 1, 2, 3, 4])


def test_an_overrun_starts_at_once_and_makes_no_backlog() -> None:
    """A request of 2.5 s in a pace of 1 s: the next is due at 1 s, starts at 2.5 s, then 3.5 s."""
    told = run_graph(
        make_graph(
            user_class(
                task("get", request(operation=_first_is_slow())),
                pace_ns=NS_PER_S,
                uses_iteration=True,
            ),
            closed(1, 5),
        )
    )
    evidence = told.outcome.evidence

    assert told.asked() == pytest.approx([0, 2.5, 3.5, 4.5])
    assert judge(parse_threshold("late < 1"), evidence).observed == "1"
    # What the stall held up is in the latency: from 1 s, when the second was due, to 2.6 s.
    (total,) = (t for labels, t in told.outcome.total.totals.items() if labels.kind == "request")
    assert total.latency.percentile(60) == pytest.approx(1.6 * NS_PER_S, rel=0.004)
    assert total.service.percentile(60) == pytest.approx(0.1 * NS_PER_S, rel=0.004)


def _first_is_slow() -> object:
    def operation(scope: object) -> Answer:
        return Answer(ns(2.5 if scope["iteration"] == 0 else 0.1))

    return operation


def test_a_pace_says_what_it_missed() -> None:
    """In 5 s a pace of 1 s is due five times; with requests of 2 s it starts three times."""
    told = run_graph(make_graph(taking(2, pace_ns=NS_PER_S), closed(1, 5.5)))
    found = judge(parse_threshold("achieved_rate > 99%"), told.outcome.evidence)

    assert told.asked() == pytest.approx([0, 2, 4])
    assert found.verdict.value == "fail"


def test_a_pace_goes_with_a_number_of_iterations() -> None:
    """Three starts a second apart, then the end."""
    told = run_graph(make_graph(taking(0.25, pace_ns=NS_PER_S), counted(1, per_user=3)))

    assert told.asked() == pytest.approx([0, 1, 2])
    assert end_of(told) == pytest.approx(2.25)


def throttled(users: int, hold: float, rate: float) -> PhaseNode:
    stages = (Stage("ramp", 0, users), Stage("hold", ns(hold), users))
    return PhaseNode("main", ClosedLoad(stages, throttle=per_second(rate)), ("Visitor",))


def test_a_throttle_caps_the_requests_of_all_users_together() -> None:
    """Fifty users who would send 5,000/s send 20/s, evenly spaced."""
    told = run_graph(make_graph(taking(0.01), throttled(50, 1.99, 20)))

    assert told.asked() == pytest.approx([n / 20 for n in range(40)], abs=1e-8)


def test_a_throttle_spaces_the_requests_of_a_number_of_iterations() -> None:
    """As a throughput timer does in a thread group with loops."""
    phase = counted(5, per_user=4)
    assert isinstance(phase.load, CountedLoad)
    phase = replace(phase, load=replace(phase.load, throttle=per_second(10)))

    told = run_graph(make_graph(taking(0.01), phase))

    assert told.asked() == pytest.approx([n / 10 for n in range(20)], abs=1e-8)


def test_who_still_waits_for_a_first_turn_at_the_end_of_the_phase_goes_home() -> None:
    """Nothing of those iterations has happened: they are not cut, nor counted as run."""
    told = run_graph(make_graph(taking(0.01), throttled(100, 1.5, 1)))

    assert counts(told.outcome, "failure", kind="iteration") == {"": 2}
    assert told.outcome.counters.aborted == 0
    assert end_of(told) == pytest.approx(1.5)


def test_a_group_of_an_iteration_that_never_began_is_no_sample() -> None:
    """Otherwise those who went home would look like the fastest, or slowest, of all groups."""
    inner = GroupNode("inner", (request(operation=Answer(ns(0.01))),), measured=True, when=None)
    outer = GroupNode("outer", (inner,), measured=True, when=None)
    told = run_graph(make_graph(user_class(task("get", outer)), throttled(100, 1.5, 1)))

    assert counts(told.outcome, "request", kind="group") == {"inner": 2, "outer": 2}


def test_requests_side_by_side_that_had_no_turn_before_the_end_are_not_sent() -> None:
    """Who has sent one of them sends the others too; the rest go home."""
    together = ParallelNode((request("a"), request("b")))
    users = user_class(task("get", GroupNode("page", (together,), measured=True, when=None)))
    told = run_graph(make_graph(users, throttled(100, 2.5, 1)))

    assert counts(told.outcome, "request", kind="group") == {"page": 2}
    assert counts(told.outcome, "failure", kind="iteration") == {"": 2}
    assert told.outcome.counters.aborted == 0


def test_waiting_for_a_turn_is_no_latency() -> None:
    """Latency is what the target took."""
    told = run_graph(make_graph(taking(0.01), throttled(50, 2, 20)))

    longest = [t.latency.max for labels, t in told.outcome.total.totals.items() if labels.status]
    assert max(longest) == 10 * NS_PER_MS


def test_who_still_waits_for_a_turn_when_the_graceful_stop_is_over_has_sent_nothing() -> None:
    """No sample is made of it, but its iteration had begun."""
    steps = (request("a"), request("b"))
    told = run_graph(make_graph(user_class(task("t", *steps)), throttled(100, 9.5, 1)))

    assert counts(told.outcome, "request") == {"a": 10}
    assert told.outcome.counters.aborted == 10


def test_phases_with_start_at_run_beside_the_others() -> None:
    """Each has results of its own, and the run ends with its last phase."""
    told = run_graph(
        make_graph(
            taking(0.5),
            closed(1, 2, name="first"),
            closed(1, 2, name="second"),
            closed(2, 1, name="beside", start_at=1),
            closed(1, 1, name="late", start_at=5),
        )
    )

    assert counts(told.outcome, "phase") == {"first": 4, "second": 4, "beside": 4, "late": 2}
    begins = {times.name: told.seconds(times.begin_ns) for times in told.outcome.phases}
    assert begins == pytest.approx({"first": 0, "second": 2, "beside": 1, "late": 5})
    assert told.seconds(told.outcome.ended_ns) == pytest.approx(6)


def test_stopping_wakes_every_phase_that_waits_for_its_start() -> None:
    """None of them begins, and the run ends now."""
    told = run_graph(
        make_graph(
            taking(0.5),
            closed(1, 100, name="first"),
            closed(1, 1, name="a", start_at=50),
            closed(1, 1, name="b", start_at=60),
        ),
        stop_at={2.2: "enough"},
    )

    assert [times.name for times in told.outcome.phases] == ["first"]
    assert told.seconds(told.outcome.ended_ns) == pytest.approx(2.5)


class TestRamp:
    """JMeter's thread group: threads that start over a time, each with its loops."""

    def test_users_start_over_the_ramp(self) -> None:
        """Four in 8 s: every two seconds one, and each has its two iterations."""
        told = run_graph(make_graph(taking(0.5), counted(4, per_user=2, ramp_up=8)))

        assert told.asked() == pytest.approx([0, 0.5, 2, 2.5, 4, 4.5, 6, 6.5], abs=1e-9)
        assert counts(told.outcome, "stage") == {"ramp": 8}
        assert end_of(told) == pytest.approx(7)

    def test_a_pause_without_any_user_does_not_end_the_phase(self) -> None:
        """The first ones are through long before the last one starts."""
        told = run_graph(make_graph(taking(0.1), counted(2, per_user=1, ramp_up=100)))

        assert told.asked() == pytest.approx([0, 50], abs=1e-9)
        assert end_of(told) == pytest.approx(50.1)

    def test_users_who_would_find_no_iteration_do_not_start(self) -> None:
        """Three shared iterations are through after 3 s of a ramp of 100 s."""
        told = run_graph(make_graph(taking(1), counted(10, iterations=3, ramp_up=100)))

        assert counts(told.outcome, "request") == {"GET /": 3}
        assert told.outcome.counters.started["main", "Visitor"] == 1
        assert end_of(told) == pytest.approx(3)

    def test_the_ramp_is_a_part_of_the_longest_duration(self) -> None:
        """What it leaves no time for is counted."""
        told = run_graph(make_graph(taking(1), counted(4, per_user=4, ramp_up=8, max_duration=8.5)))

        assert counts(told.outcome, "request") == {"GET /": 15}
        assert told.outcome.counters.overtime == {"main": 1}


def test_the_first_iterations_of_the_phase_are_warm_up() -> None:
    """Three of ten, and time is measured from the begin of the fourth."""
    phase = replace(counted(2, iterations=10), warmup_iterations=3)

    told = run_graph(make_graph(taking(1), phase))

    assert counts(told.outcome, "warmup") == {True: 3, False: 7}
    assert counts(told.outcome, "warmup", kind="iteration") == {True: 3, False: 7}
    [measured] = told.outcome.measured()
    assert (told.seconds(measured.start_ns), told.seconds(measured.end_ns)) == (1, 5)
    assert told.outcome.loads[0].achieved == 10


def test_each_user_has_a_warm_up_of_its_own_iterations() -> None:
    """Where each has its own number; the first that is done with them begins measured time."""
    phase = replace(counted(3, per_user=4), warmup_iterations=1)

    told = run_graph(make_graph(taking(0.5, wait=pause(1)), phase))

    assert counts(told.outcome, "warmup") == {True: 3, False: 9}
    [measured] = told.outcome.measured()
    assert told.seconds(measured.start_ns) == 1.5


def test_a_warm_up_goes_before_the_pace_and_groups_too() -> None:
    group = GroupNode("g", (request(operation=Answer(ns(0.5))),))
    phase = replace(counted(1, iterations=4), warmup_iterations=2)

    told = run_graph(make_graph(user_class(task("t", group), pace_ns=ns(1)), phase))

    assert counts(told.outcome, "warmup", kind="group") == {True: 2, False: 2}
    assert told.seconds(told.outcome.measured()[0].start_ns) == 2


def test_what_follows_a_task_goes_on_after_the_warm_up() -> None:
    """The user stays where it was in the chain: a, b, a, b."""
    first = replace(task("a", request(name="a")), following=(("b", 1),))
    second = replace(task("b", request(name="b")), following=(("a", 1),), weight=1)
    phase = replace(counted(1, iterations=40), warmup_iterations=15)

    told = run_graph(make_graph(user_class(first, second), phase))

    found = counts(told.outcome, "request", "warmup")
    assert {found[name, True] for name in "ab"} == {7, 8}
    assert {found[name, False] for name in "ab"} == {12, 13}
    assert sum(found.values()) == 40
