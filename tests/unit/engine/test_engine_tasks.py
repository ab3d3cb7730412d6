"""What stands between a pick and its run: needs, substitutes, time limits; and on_fail."""

from __future__ import annotations

import pytest

from planrunner.engine import Ending
from planrunner.graph.run_graph import Needs, OnFail, SetNode, TaskProgram
from planrunner.language.expressions.expression import parse
from planrunner.results.aggregate import mix_errors
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    NEVER,
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


def expr(source):
    return parse(source).lower({}).evaluate


def needing(name, condition, otherwise="skip", *, weight=1):
    needs = Needs(expr(condition), condition, otherwise)
    return TaskProgram(name, weight, (request(name),), needs=needs)


def run_tasks(*tasks, seconds=0.1, **program):
    return run_graph(make_graph(user_class(*tasks, **program), closed(1, seconds)))


def became(told):
    """What became of each task's picks: runs, skipped, substituted."""
    return {
        count.task: (count.runs, count.skipped, count.substituted)
        for count in told.outcome.task_counts
    }


class TestNeeds:
    def test_a_task_whose_needs_are_met_runs(self):
        """Nothing is skipped."""
        assert became(run_tasks(needing("a", "true"))) == {"a": (10, 0, 0)}

    def test_a_refused_task_is_skipped_and_counted(self):
        """The user gives others a millisecond, and no iteration is timed."""
        told = run_tasks(needing("a", "false"))

        assert became(told) == {"a": (0, 100, 0)}
        assert counts(told.outcome, "task", kind="iteration") == {}

    def test_the_wait_follows_a_skipped_pick(self):
        """As it follows any iteration."""
        assert became(run_tasks(needing("a", "false"), wait=pause(0.02))) == {"a": (0, 5, 0)}

    def test_needs_are_looked_at_again_for_each_pick(self):
        """What another iteration changed counts."""
        grow = SetNode((("n", expr("n + 1")),))
        needs = Needs(expr("n < 3"), "n < 3")
        tasks = TaskProgram("a", 1, (request("a"), grow), needs=needs)

        told = run_tasks(tasks, state=(("n", lambda _: 0),))

        assert became(told)["a"][0] == 3

    def test_another_task_is_picked_by_weight(self):
        """Among those not refused yet."""
        told = run_tasks(
            needing("a", "false", "repick", weight=1000),
            task("b", request("b"), weight=3),
            task("c", request("c")),
            seconds=10,
        )

        runs = became(told)
        assert runs["a"][0] == 0
        assert runs["a"][1] == pytest.approx(1000, abs=20)
        assert runs["b"][0] / runs["c"][0] == pytest.approx(3, rel=0.2)
        assert counts(told.outcome, "request") == {"b": runs["b"][0], "c": runs["c"][0]}

    def test_when_all_are_refused_the_iteration_is_skipped(self):
        """Each pick of it is counted."""
        told = run_tasks(needing("a", "false", "repick"), needing("b", "false", "repick"))

        runs = became(told)
        assert (runs["a"], runs["b"]) == ((0, 100, 0), (0, 100, 0))

    def test_a_named_task_runs_in_the_place_of_a_refused_one(self):
        """It counts as a run of its own, and as a substitution of the other."""
        told = run_tasks(needing("a", "false", "b", weight=10**6), task("b", request("b")))

        assert became(told) == {"a": (0, 0, 10), "b": (10, 0, 0)}

    def test_a_substitutes_own_needs_apply(self):
        """When it is refused too, the pick was skipped."""
        told = run_tasks(needing("a", "false", "b", weight=10**6), needing("b", "false"))

        assert became(told) == {"a": (0, 100, 0), "b": (0, 0, 0)}

    def test_a_condition_without_a_value_fails_the_iteration(self):
        """As any expression does."""
        told = run_tasks(needing("a", "missing"))

        assert counts(told.outcome, "failure", kind="iteration") == {"extract": 100}
        assert counts(told.outcome, "request", "failure") == {("needs a", "extract"): 100}
        assert (
            "100 iterations ended early: `needs a` failed: `missing` is undefined (task `a`)"
            in told.outcome.notices
        )

    @pytest.mark.parametrize("otherwise", ["skip", "repick", "b"])
    def test_what_needs_refuse_leaves_the_mix_as_declared(self, otherwise):
        """The mix is compared with what was open, so the numbers are valid."""
        told = run_tasks(
            needing("a", "iteration % 2 == 0", otherwise, weight=3),
            task("b", request("b")),
            task("c", request("c")),
            seconds=10,
        )

        assert mix_errors(told.outcome.task_counts)["Visitor"] < 2
        assert told.outcome.biased == ()

    def test_a_task_that_never_ran_is_a_notice(self):
        """However short the run is."""
        told = run_tasks(needing("a", "false", "b"), task("b", request("b")))

        found = " ".join(told.outcome.notices)
        assert "the task `a` of `Visitor` never ran in 10 iterations of its class" in found
        assert "its `needs` were met in none of" in found

    def test_many_skipped_picks_are_a_notice(self):
        """They are empty iterations, which another `else` would fill."""
        told = run_tasks(needing("a", "false"), task("b", request("b")))

        found = " ".join(told.outcome.notices)
        assert "picks of `Visitor` were skipped because `needs` were not met (`a` " in found

    def test_what_happens_in_a_warm_up_is_not_counted(self):
        """Runs, skipped picks and draws after them: ten iterations of either half."""
        tasks = needing("a", "true"), needing("b", "false")
        program = user_class(*tasks, wait=pause(0.09))
        whole = run_graph(make_graph(program, closed(1, 2)))
        warm = run_graph(make_graph(program, closed(1, 2, warmup=1)))

        counted = [sum(sum(one) for one in became(told).values()) for told in (whole, warm)]
        assert counted[1] == pytest.approx(counted[0] / 2, abs=2)

    def test_the_same_seed_picks_the_same_tasks(self):
        """Draws after a refusal come from the user's stream."""
        tasks = (
            needing("a", "false", "repick", weight=5),
            task("b", request("b")),
            task("c", request("c")),
        )

        assert became(run_tasks(*tasks)) == became(run_tasks(*tasks))


class TestTimeLimit:
    def test_a_task_in_time_is_not_touched(self):
        """Its steps run as ever."""
        limited = TaskProgram("a", 1, (request("a"),), timeout_ns=NS_PER_S)

        assert counts(run_tasks(limited).outcome, "failure", kind="iteration") == {"": 10}

    def test_a_task_that_takes_too_long_is_ended(self):
        """The request in flight and the iteration fail as `timeout`; the next one begins."""
        steps = (request("a", Answer(delay_ns=NEVER)), request("never"))
        limited = TaskProgram("a", 1, steps, timeout_ns=40 * NS_PER_MS)

        told = run_tasks(limited, seconds=0.1)

        assert counts(told.outcome, "request", "failure") == {("a", "timeout"): 3}
        assert counts(told.outcome, "failure", kind="iteration") == {"timeout": 3}
        assert told.asked() == pytest.approx([0, 0.041, 0.082])

    def test_a_pause_counts(self):
        """It is part of the run of the task."""
        limited = TaskProgram("a", 1, (think(1), request("never")), timeout_ns=40 * NS_PER_MS)

        told = run_tasks(limited, seconds=0.04)

        assert counts(told.outcome, "failure", kind="iteration") == {"timeout": 1}

    def test_the_end_of_the_phase_still_aborts(self):
        """That is no failure of the task."""
        slow = request("a", Answer(delay_ns=NEVER), timeout_ns=10**12)
        limited = TaskProgram("a", 1, (slow,), timeout_ns=60 * NS_PER_S)

        told = run_graph(make_graph(user_class(limited), closed(1, 1, graceful_stop=1)))

        assert counts(told.outcome, "request", "failure") == {("a", "aborted"): 1}


class TestOnFail:
    def test_a_failed_start_is_tried_again(self):
        """A second later, until it works."""
        answers = iter([Answer(status=500), Answer(status=500)])
        login = request("in", lambda _: next(answers, Answer()), measured=False)
        users = user_class(on_start=(login,), on_start_fail=OnFail.RETRY)

        told = run_graph(make_graph(users, closed(1, 2.05)))

        assert told.asked() == pytest.approx([0, 1.01, 2.02, 2.03, 2.04])
        assert told.outcome.ending is Ending.FINISHED
        assert "retried 2 times" in told.outcome.notices[0]

    def test_a_user_that_is_told_to_stop_gives_up(self):
        """Its on_start has failed then."""
        login = request("in", Answer(status=500), measured=False)
        users = user_class(on_start=(login,), on_start_fail=OnFail.RETRY)

        told = run_graph(make_graph(users, closed(1, 2.5)))

        assert told.target.requests == 4
        assert told.outcome.ending is Ending.CANNOT_RUN

    def test_a_failed_start_can_end_the_plan(self):
        """With the reason in words."""
        login = request("in", Answer(status=401), measured=False, when=expr("user.id == 0"))
        users = user_class(on_start=(login,), on_start_fail=OnFail.STOP_PLAN)

        told = run_graph(make_graph(users, closed(2, 60)))

        assert told.outcome.ending is Ending.CANNOT_RUN
        assert told.outcome.reason == (
            "`on_start` of a user `Visitor` failed: `in` failed: status 401"
        )

    def test_a_failed_stop_is_tried_again_for_thirty_seconds(self):
        """Then the run ends without it."""
        logout = request("out", Answer(status=500), measured=False)
        users = user_class(on_stop=(logout,), on_stop_fail=OnFail.RETRY)

        told = run_graph(make_graph(users, closed(1, 0.005)))

        assert counts(told.outcome, "request")["out"] == 30
        assert told.seconds(told.outcome.ended_ns) == pytest.approx(30.01)
