"""What a virtual user does: picks, pauses, names, on_start and on_stop."""

from __future__ import annotations

from itertools import pairwise

import pytest

from planrunner.engine import Ending
from planrunner.engine.users.virtual_user import user_stream
from planrunner.graph.run_graph import GroupNode, HeaderNode, SetNode, TaskPick
from planrunner.language.expressions.values import EvaluationError
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

WEIGHTED = (
    task("a", request("a"), weight=10),
    task("b", request("b"), weight=3),
    task("c", request("c"), weight=1),
)


def no_value(scope):
    raise EvaluationError("`x` has no value")


class TestPicks:
    def test_tasks_are_picked_by_weight(self):
        """In 14,000 picks each task is within two percent points of its share."""
        told = run_graph(make_graph(user_class(*WEIGHTED), closed(14, 10)))

        picked = counts(told.outcome, "task")
        total = sum(picked.values())
        assert [round(100 * picked[name] / total) for name in "abc"] == pytest.approx(
            [71, 21, 7], abs=2
        )

    def test_a_balanced_pick_deals_exact_shares(self):
        """Each 14 iterations of a user hold the tasks 10, 3 and 1 times."""
        users = user_class(*WEIGHTED, pick=TaskPick.BALANCED)
        step_ns = 10 * NS_PER_MS

        told = run_graph(make_graph(users, closed(1, 140 * step_ns / NS_PER_S)))

        picked = {count.task: count.runs for count in told.outcome.task_counts}
        assert picked == pytest.approx({"a": 100, "b": 30, "c": 10}, abs=1)

    def test_the_same_seed_gives_the_same_run(self):
        """Picks, pauses and draws of every user, to the nanosecond."""
        users = user_class(*WEIGHTED, wait=pause(0.1, 0.5))
        runs = [run_graph(make_graph(users, closed(5, 20), seed=3)) for _ in range(2)]
        other = run_graph(make_graph(users, closed(5, 20), seed=4))

        assert runs[0].asked() == runs[1].asked()
        assert runs[0].asked() != other.asked()

    def test_users_have_streams_of_their_own(self):
        """Phase, class, index and seed all make a different one; the same place the same."""
        places = [(1, "p", "A", 0), (2, "p", "A", 0), (1, "q", "A", 0), (1, "p", "B", 0)]
        places.append((1, "p", "A", 1))

        draws = [user_stream(*place).random() for place in places]

        assert len(set(draws)) == len(places)
        assert user_stream(*places[0]).random() == draws[0]

    def test_every_iteration_is_counted_by_task(self):
        """The achieved mix is the number of iterations begun."""
        told = run_graph(make_graph(user_class(*WEIGHTED), closed(3, 5)))

        runs = {count.task: count.runs for count in told.outcome.task_counts}
        assert runs == counts(told.outcome, "task", kind="iteration")


class TestPauses:
    def test_the_wait_follows_each_iteration(self):
        """A request of 10 ms and a wait of 90 ms make ten a second."""
        told = run_graph(make_graph(user_class(wait=pause(0.09)), closed(1, 1)))

        assert told.asked() == pytest.approx([0.1 * n for n in range(10)])

    def test_a_wait_is_drawn_from_the_users_stream(self):
        """Each pause lies in its range, and no two users wait alike."""
        told = run_graph(make_graph(user_class(wait=pause(1, 3)), closed(2, 100)))

        by_user = {}
        for scope, moment in zip(told.target.scopes, told.asked(), strict=True):
            by_user.setdefault(scope["user"]["id"], []).append(moment)
        gaps = [[round(b - a - 0.01, 6) for a, b in pairwise(m)] for m in by_user.values()]
        assert all(1 <= gap <= 3 for user in gaps for gap in user)
        assert gaps[0][:5] != gaps[1][:5]

    def test_think_time_lies_between_steps_and_is_no_latency(self):
        """The second request is asked for after the pause, and timed from then."""
        steps = (request("a"), think(2), request("b"))

        told = run_graph(make_graph(user_class(task("t", *steps)), closed(1, 2.1)))

        assert told.asked()[:2] == pytest.approx([0.0, 2.01])
        latencies = {labels.request: total.latency.max for labels, total in requests_of(told)}
        assert latencies == {"a": 10 * NS_PER_MS, "b": 10 * NS_PER_MS}

    def test_an_iteration_that_waits_for_nothing_lets_others_run(self):
        """Without any request it still takes a millisecond."""
        steps = (SetNode((("x", lambda scope: 1),)),)

        told = run_graph(make_graph(user_class(task("t", *steps)), closed(1, 1)))

        assert counts(told.outcome, "failure", kind="iteration") == {"": 1000}


class TestNames:
    def test_a_set_name_lasts_for_the_iteration(self):
        """The next iteration doesn't see it."""
        steps = (request("before"), SetNode((("x", lambda scope: 5),)), request("after"))
        users = user_class(task("t", *steps), iteration_names=("x",))

        told = run_graph(make_graph(users, closed(1, 0.05)))

        assert ["x" in scope for scope in told.target.scopes] == [False, True] * 3

    def test_state_is_the_users_own(self):
        """A list in it is not the list of another user."""
        shared = []
        grow = SetNode((("n", lambda scope: scope["seen"].append(1) or len(scope["seen"])),))
        users = user_class(task("t", grow, request()), state=(("seen", lambda scope: shared),))

        told = run_graph(make_graph(users, closed(3, 0.015)))

        assert [scope["n"] for scope in told.target.scopes] == [1, 1, 1, 2, 2, 2]
        assert shared == []

    def test_iterations_are_numbered_over_all_users_and_by_user(self):
        """`iteration` is unique in the phase, `user.iteration` counts the user's own."""
        seen = []

        def look(scope):
            seen.append((scope["iteration"], scope["user"]["iteration"]))
            return Answer()

        users = user_class(task("t", request(operation=look)), uses_iteration=True)

        run_graph(make_graph(users, closed(2, 0.03)))

        assert sorted(number for number, _ in seen) == list(range(6))
        assert sorted(own for _, own in seen) == [0, 0, 1, 1, 2, 2]

    def test_a_user_sees_its_run_phase_and_self(self):
        """And what the plan put in front: params and constants."""
        graph = make_graph(user_class(), closed(2, 0.01), seed=9, scope={"host": "h"})

        told = run_graph(graph)

        first, second = told.target.scopes
        assert first["run"] == {"id": "r1", "dir": "", "seed": 9}
        assert (first["phase"], first["host"]) == ({"name": "main"}, "h")
        assert (first["user"], second["user"]["id"]) == ({"id": 0, "class": "Visitor"}, 1)


class TestSteps:
    def test_a_step_whose_condition_is_false_is_left_out(self):
        """It sends nothing and counts nothing."""
        steps = (request("no", when=lambda scope: False), request("yes", when=lambda scope: 1))

        told = run_graph(make_graph(user_class(task("t", *steps)), closed(1, 0.1)))

        assert counts(told.outcome, "request") == {"yes": 10}

    def test_a_header_is_set_as_text_or_taken_away(self):
        """Values are rendered as in any text of a plan."""
        node = HeaderNode((("X-Yes", lambda scope: True), ("X-Gone", None)))

        told = run_graph(make_graph(user_class(task("t", node, request())), closed(1, 0.01)))

        assert told.target.headers == [("X-Yes", "true"), ("X-Gone", None)]

    def test_a_group_is_timed_without_its_think_time(self):
        """It is a sample of its own kind; its requests carry its name."""
        group = GroupNode("buy", (request("a"), think(1), request("b")))

        told = run_graph(make_graph(user_class(task("t", group)), closed(1, 0.5)))

        (total,) = [t for labels, t in told.outcome.total.totals.items() if labels.kind == "group"]
        assert (total.count, total.latency.max) == (1, 20 * NS_PER_MS)
        assert set(counts(told.outcome, "groups")) == {("buy",)}

    def test_a_group_fails_with_a_request_in_it(self):
        """Its failure is that of the first one, and the iteration's too."""
        bad = request(operation=Answer(status=500))

        told = run_graph(
            make_graph(user_class(task("t", GroupNode("buy", (bad, request())))), closed(1, 0.1))
        )

        assert counts(told.outcome, "failure", kind="group") == {"status": 5}
        assert counts(told.outcome, "failure", kind="iteration") == {"status": 5}

    def test_an_iteration_is_timed_with_its_think_time(self):
        """From the first step to the end of the last, without the wait."""
        users = user_class(task("t", request(), think(1)), wait=pause(5))

        told = run_graph(make_graph(users, closed(1, 6.5)))

        (total,) = [t for k, t in told.outcome.total.totals.items() if k.kind == "iteration"]
        # The second one began at 6.01 s and ended after the phase.
        assert total.count == 2
        assert (total.latency.min, total.latency.max) == (1_010 * NS_PER_MS, 1_010 * NS_PER_MS)


class TestStartAndStop:
    def test_on_start_and_on_stop_run_once_a_user_and_are_no_result(self):
        """They send real traffic, kept apart from the measured."""
        users = user_class(
            on_start=(request("login", measured=False),),
            on_stop=(request("logout", measured=False),),
        )

        told = run_graph(make_graph(users, closed(2, 1)))

        by_name = counts(told.outcome, "request", "measured")
        assert (by_name["login", False], by_name["logout", False]) == (2, 2)
        assert ("GET /", True) in by_name

    def test_a_user_whose_on_start_fails_stops(self):
        """The others go on, and the run says that it is biased."""
        answers = iter([Answer(status=500)])
        login = request("login", lambda scope: next(answers, Answer()), measured=False)
        users = user_class(on_start=(login,), on_stop=(request("logout", measured=False),))

        told = run_graph(make_graph(users, closed(2, 1)))

        assert counts(told.outcome, "request")["logout"] == 1
        assert "1 of 2 users" in told.outcome.biased[0]
        assert told.outcome.ending is Ending.FINISHED

    def test_the_run_ends_when_no_user_is_left(self):
        """Everybody's on_start failed: it could not run."""
        users = user_class(on_start=(request(operation=Answer(status=500), measured=False),))

        told = run_graph(make_graph(users, closed(3, 60, ramp_up=3)))

        assert told.outcome.ending is Ending.CANNOT_RUN
        assert "every `on_start` failed, one because `" in told.outcome.reason
        assert told.seconds(told.outcome.ended_ns) == pytest.approx(2.01)

    def test_a_state_without_a_value_stops_the_user(self):
        """As a failed on_start does."""
        users = user_class(state=(("x", no_value),))

        told = run_graph(make_graph(users, closed(1, 60)))

        assert told.outcome.ending is Ending.CANNOT_RUN

    def test_on_stop_runs_after_an_aborted_iteration(self):
        """What the user opened it can close, within 30 s for all."""
        slow = request("slow", Answer(delay_ns=1000 * NS_PER_S))
        users = user_class(task("t", slow), on_stop=(request("logout", measured=False),))

        told = run_graph(make_graph(users, closed(2, 1, graceful_stop=1)))

        assert counts(told.outcome, "request", "failure") == {
            ("slow", "aborted"): 2,
            ("logout", ""): 2,
        }

    def test_an_on_stop_that_takes_too_long_is_cut(self):
        """Thirty seconds for all of them together, then the run ends."""
        slow = request("logout", Answer(delay_ns=1000 * NS_PER_S), measured=False)
        users = user_class(on_stop=(slow,))

        told = run_graph(make_graph(users, closed(2, 1, graceful_stop=10)))

        assert told.seconds(told.outcome.ended_ns) == 31.0
        assert counts(told.outcome, "request", "failure")["logout", "aborted"] == 2

    def test_on_start_is_cut_with_the_graceful_stop(self):
        """A user that never got to an iteration has no on_stop."""
        slow = request("login", Answer(delay_ns=1000 * NS_PER_S), measured=False)
        users = user_class(on_start=(slow,), on_stop=(request("logout"),))

        told = run_graph(make_graph(users, closed(1, 1, graceful_stop=2)))

        assert told.seconds(told.outcome.ended_ns) == 3.0
        assert counts(told.outcome, "request", "failure") == {("login", "aborted"): 1}


def requests_of(told):
    totals = told.outcome.total.totals
    return [(labels, total) for labels, total in totals.items() if labels.kind == "request"]
