"""Closed phases: who runs when, what ends them, what is measured."""

from __future__ import annotations

import time

import pytest

from planrunner.engine import PhaseEnded, PhaseStarted, RunEnded, RunStarted
from planrunner.graph.steps import GroupNode, StopNode, StopWhat
from planrunner.metrics.snapshot import Accumulated
from planrunner.schedule.population import Stage
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    Answer,
    closed,
    counts,
    make_graph,
    pause,
    request,
    run_graph,
    task,
    think,
    user_class,
)

SLOW = user_class(task("slow", request(operation=Answer(delay_ns=1_000 * NS_PER_S))))


class TestRamps:
    def test_users_of_a_ramp_start_at_even_steps_to_the_nanosecond(self):
        """User k of n starts k/n of the ramp after its start."""
        told = run_graph(make_graph(SLOW, closed(3, 2, ramp_up=1, graceful_stop=0)))

        starts = [ns - told.outcome.started_ns for ns in told.target.asked_ns]
        assert starts == [0, 333_333_333, 666_666_666]

    def test_without_a_ramp_all_users_start_at_once(self):
        """No ramp means no waiting, not a ramp of some default length."""
        told = run_graph(make_graph(SLOW, closed(5, 2, graceful_stop=0)))

        assert told.asked() == [0.0] * 5

    def test_a_ramp_down_stops_users_one_by_one(self):
        """The level after the ramp down is that of the plan, and nobody is cut."""
        stages = [Stage("1", 0, 4), Stage("2", NS_PER_S // 2, 4), Stage("3", 4 * NS_PER_S, 0)]

        told = run_graph(make_graph(user_class(), closed(0, 0, stages=stages)))

        users = [sum(tick.snapshot.users.values()) for tick in told.ticks]
        assert users == [4, 3, 2, 1]
        assert set(counts(told.outcome, "failure")) == {""}

    def test_a_stage_that_rises_again_starts_fresh_users(self):
        """A slot that is taken again gets a user of its own, with connections of its own."""
        stages = [Stage("1", NS_PER_S, 2), Stage("2", 0, 0), Stage("3", 0, 2)]
        stages.append(Stage("4", NS_PER_S, 2))

        told = run_graph(make_graph(user_class(), closed(0, 0, stages=stages)))

        assert told.outcome.counters.started == {("main", "Visitor"): 4}
        assert told.target.sessions_closed == 4

    def test_samples_of_the_ramp_and_of_the_hold_are_told_apart_by_their_start(self):
        """A request that begins in the ramp belongs to it, wherever it ends."""
        step = request(operation=Answer(delay_ns=400 * NS_PER_MS))

        told = run_graph(make_graph(user_class(task("t", step)), closed(1, 2, ramp_up=1)))

        # asked at 0, 0.4, 0.8 (ramp; the last ends at 1.2), then 1.2 … 2.8 (hold)
        assert counts(told.outcome, "stage") == {"ramp": 3, "hold": 5}

    def test_hold_is_measured_after_the_ramp(self):
        """The hold is as long as the plan says, however long the ramp was."""
        told = run_graph(make_graph(user_class(), closed(2, 10, ramp_up=3)))

        (phase,) = told.outcome.phases
        stages = [(s.name, told.seconds(s.begin_ns), told.seconds(s.end_ns)) for s in phase.stages]
        assert stages == [("ramp", 0.0, 3.0), ("hold", 3.0, 13.0)]


class TestWarmup:
    def test_a_sample_is_warm_up_when_it_starts_in_it(self):
        """The edge is exact: a start at the very end of the warm-up is measured."""
        step = request(operation=Answer(delay_ns=250 * NS_PER_MS))

        told = run_graph(make_graph(user_class(task("t", step)), closed(1, 3, warmup=1)))

        assert counts(told.outcome, "warmup") == {True: 4, False: 8}

    def test_warm_up_counts_from_the_start_of_the_phase(self):
        """It may end within the ramp, which is then partly measured."""
        told = run_graph(make_graph(user_class(), closed(1, 1, ramp_up=1, warmup=0.5)))

        measured = [(m.stage, told.seconds(m.start_ns)) for m in told.outcome.measured()]
        assert measured == [("ramp", 0.5), ("hold", 1.0)]


class TestEnd:
    def test_no_iteration_begins_at_the_end_of_the_phase(self):
        """Ten replies of 100 ms fit one second; an eleventh request isn't sent."""
        step = request(operation=Answer(delay_ns=100 * NS_PER_MS))

        told = run_graph(make_graph(user_class(task("t", step)), closed(1, 1)))

        assert told.target.requests == 10

    def test_a_running_iteration_finishes_after_the_end(self):
        """It counts, and the measured time stays that of the stages."""
        step = request(operation=Answer(delay_ns=700 * NS_PER_MS))

        told = run_graph(make_graph(user_class(task("t", step, step)), closed(1, 1)))

        (phase,) = told.outcome.phases
        assert counts(told.outcome, "failure") == {"": 2}
        assert (told.seconds(phase.end_ns), told.seconds(phase.gone_ns)) == (1.0, 1.4)

    def test_what_outlives_the_graceful_stop_is_aborted(self):
        """The request in flight is a sample of its own kind, no error."""
        told = run_graph(make_graph(SLOW, closed(3, 2, graceful_stop=5)))

        assert counts(told.outcome, "failure") == {"aborted": 3}
        assert counts(told.outcome, "failure", kind="iteration") == {"aborted": 3}
        assert told.outcome.counters.aborted == 3
        assert told.seconds(told.outcome.ended_ns) == 7.0

    def test_a_waiting_user_is_woken_at_once(self):
        """A pause of an hour doesn't hold up the end of the phase."""
        told = run_graph(make_graph(user_class(wait=pause(3600)), closed(5, 2)))

        assert told.seconds(told.outcome.ended_ns) == 2.0

    def test_a_user_told_to_stop_finishes_its_iteration_as_it_is(self):
        """It thinks as long as ever: or all would send at once what they had thought about."""
        steps = (request("a"), think(10), request("b"))

        told = run_graph(make_graph(user_class(task("t", *steps)), closed(1, 2)))

        assert told.asked() == pytest.approx([0.0, 10.01])

    def test_what_is_sent_in_the_graceful_stop_is_no_result(self):
        """Ten users send twenty requests, and ten of them in the second that is measured."""
        steps = (request("a"), think(2), GroupNode("both", (request("b"), request("b"))))

        told = run_graph(make_graph(user_class(task("t", *steps)), closed(10, 1)))

        assert counts(told.outcome, "request", "after") == {("a", False): 10, ("b", True): 20}
        assert counts(told.outcome, "after", kind="group") == {True: 10}
        assert counts(told.outcome, "after", kind="iteration") == {False: 10}

    def test_what_is_sent_after_a_phase_was_stopped_is_no_result(self):
        """The place that sends it has already sent in the stage that was cut."""
        steps = (request("a"), think(1), StopNode(StopWhat.PHASE))
        others = user_class(task("u", request("b"), think(2), request("b")), name="Other")
        both = closed(2, 60, classes=("Visitor", "Other"))

        told = run_graph(make_graph([user_class(task("t", *steps)), others], both))

        assert counts(told.outcome, "request", "after") == {
            ("a", False): 1,
            ("b", False): 1,
            ("b", True): 1,
        }

    def test_a_user_that_thinks_beyond_the_graceful_stop_sends_nothing_more(self):
        """Its iteration was cut, and no request."""
        steps = (request("a"), think(3600), request("b"))

        told = run_graph(make_graph(user_class(task("t", *steps)), closed(1, 2, graceful_stop=5)))

        assert counts(told.outcome, "request") == {"a": 1}
        assert told.outcome.counters.aborted == 1
        assert told.seconds(told.outcome.ended_ns) == 7.0

    def test_every_session_and_client_is_closed(self):
        """Whether its user finished or was cut."""
        told = run_graph(make_graph(SLOW, closed(3, 1, graceful_stop=1)))

        assert (told.target.sessions_opened, told.target.sessions_closed) == (3, 3)
        assert told.target.clients_closed == 1


class TestClasses:
    def test_users_are_split_by_weight(self):
        """The next user goes to the class that lacks most (Sainte-Laguë)."""
        users = [user_class(name="A", weight=7), user_class(name="B", weight=3)]

        told = run_graph(make_graph(users, closed(10, 1, classes=("A", "B"))))

        assert told.outcome.counters.started == {("main", "A"): 7, ("main", "B"): 3}

    def test_a_class_with_a_count_gets_exactly_that(self):
        """It is filled before the others share the rest."""
        users = [user_class(name="A"), user_class(name="B", count=2)]

        told = run_graph(make_graph(users, closed(10, 1, classes=("A", "B"))))

        assert told.outcome.counters.started == {("main", "A"): 8, ("main", "B"): 2}

    def test_users_by_class_are_exact(self):
        """`users: {A: 1, B: 4}` leaves nothing to weights."""
        users = [user_class(name="A", weight=9), user_class(name="B")]
        phase = closed(5, 1, classes=("A", "B"), exact={"A": 1, "B": 4})

        told = run_graph(make_graph(users, phase))

        assert told.outcome.counters.started == {("main", "A"): 1, ("main", "B"): 4}


class TestPhases:
    def test_phases_run_one_after_the_other_with_fresh_users(self):
        """The second starts when the last user of the first has gone."""
        step = request(operation=Answer(delay_ns=1_500 * NS_PER_MS))
        phases = closed(1, 1, name="a"), closed(1, 1, name="b")

        told = run_graph(make_graph(user_class(task("t", step)), *phases))

        assert [told.seconds(p.begin_ns) for p in told.outcome.phases] == [0.0, 1.5]
        assert told.target.sessions_opened == 2

    def test_a_phase_with_start_at_runs_beside_the_others(self):
        """It waits for nobody, and the run ends with the last phase."""
        phases = closed(1, 2, name="a"), closed(1, 3, name="b", start_at=1)

        told = run_graph(make_graph(user_class(), *phases))

        begins = {p.name: told.seconds(p.begin_ns) for p in told.outcome.phases}
        assert begins == {"a": 0.0, "b": 1.0}
        assert told.seconds(told.outcome.ended_ns) == 4.0

    def test_phases_are_reported_in_the_order_of_the_plan(self):
        """Whichever began or ended first."""
        phases = closed(1, 3, name="a"), closed(1, 1, name="b", start_at=1), closed(1, 1, name="c")

        told = run_graph(make_graph(user_class(), *phases))

        assert [phase.name for phase in told.outcome.phases] == ["a", "b", "c"]

    def test_the_same_requests_in_two_phases_have_two_sets_of_series(self):
        """Phases have their own results."""
        phases = closed(1, 1, name="a"), closed(1, 2, name="b")

        told = run_graph(make_graph(user_class(), *phases))

        assert counts(told.outcome, "phase") == {"a": 100, "b": 200}


class TestControl:
    def test_the_listener_hears_the_run_in_order(self):
        """From the start of the run to its end, with a tick each second between."""
        told = run_graph(make_graph(user_class(), closed(1, 2.5)))

        kinds = [type(event) for event in told.events if event not in told.ticks]
        assert kinds == [RunStarted, PhaseStarted, PhaseEnded, RunEnded]
        assert [tick.second for tick in told.ticks] == [1, 2]

    def test_every_sample_is_in_exactly_one_second(self):
        """What came after the last tick is counted too."""
        told = run_graph(make_graph(user_class(), closed(1, 2.5)))

        points = told.outcome.history.points()
        assert [point.second for point in points] == [1, 2, 3]
        assert sum(point.requests for point in points) == 250

    def test_what_the_listener_hears_adds_up_to_the_outcome(self):
        """The end of the run has what came after the last tick."""
        told = run_graph(make_graph(user_class(), closed(1, 2.5)))

        ended = told.events[-1]
        assert isinstance(ended, RunEnded)
        heard = Accumulated()
        for snapshot in (*(tick.snapshot for tick in told.ticks), ended.snapshot):
            heard.add(snapshot)
        assert ended.snapshot.deltas
        assert {labels: total.count for labels, total in heard.totals.items()} == {
            labels: total.count for labels, total in told.outcome.total.totals.items()
        }

    def test_a_bug_in_a_step_ends_the_run_with_its_own_exception(self):
        """Not with a group of groups around it."""

        def broken(scope):
            raise ZeroDivisionError

        users = user_class(task("t", request(operation=broken)))

        with pytest.raises(ZeroDivisionError):
            run_graph(make_graph(users, closed(2, 1)))

    @pytest.mark.slow
    def test_an_hour_in_virtual_time_takes_no_time(self):
        """Nothing polls: only requests, pauses, sweeps and seconds cost anything."""
        step = request(operation=Answer(delay_ns=NS_PER_S))
        graph = make_graph(user_class(task("t", step), wait=pause(59)), closed(2, 3600))

        began = time.perf_counter()
        told = run_graph(graph)

        assert counts(told.outcome, "failure") == {"": 120}
        assert time.perf_counter() - began < 20  # a guard against polling, not a benchmark
