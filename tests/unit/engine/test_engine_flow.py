"""Steps that steer others: lists, branches, loops, calls, stops and logs, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from planrunner.clock import MonotonicClock
from planrunner.engine import Ending, Logged, run
from planrunner.graph.run_graph import (
    Block,
    CallNode,
    ChooseNode,
    ForeachNode,
    GroupNode,
    IfNode,
    LogNode,
    PopNode,
    PushNode,
    RepeatNode,
    SetNode,
    StopNode,
    StopWhat,
    SwitchNode,
    WhileNode,
)
from planrunner.language.expressions.expression import parse
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


def expr(source):
    return parse(source).lower({}).evaluate


def assign(**values):
    return SetNode(tuple((name, expr(source)) for name, source in values.items()))


def push(**values):
    return PushNode(tuple((name, expr(source)) for name, source in values.items()))


def one_iteration(*steps, users=1):
    """Run the steps once for each user: the first request ends after 10 ms, the phase at 5 ms."""
    return run_graph(make_graph(user_class(task("t", *steps)), closed(users, 0.005)))


def names(told):
    """The last scope that the target saw."""
    return told.target.scopes[-1]


class TestLists:
    def test_push_adds_to_the_end(self):
        """In the order of the steps."""
        told = one_iteration(assign(keys="['a']"), push(keys="'b'"), push(keys="'c'"), request())

        assert names(told)["keys"] == ["a", "b", "c"]

    def test_a_pushed_list_is_no_other_users(self):
        """The constant that `set` gives each of them stays as it is."""
        shared = []
        steps = (SetNode((("keys", lambda _: shared),)), push(keys="user.id"), request())

        told = one_iteration(*steps, users=2)

        assert [scope["keys"] for scope in told.target.scopes] == [[0], [1]]
        assert shared == []

    def test_a_push_to_what_is_no_list_ends_the_iteration(self):
        """The failure is of the kind `extract`, and the notice says why."""
        told = one_iteration(assign(keys="5"), push(keys="1"), request())

        assert told.target.requests == 0
        assert counts(told.outcome, "failure", kind="iteration") == {"extract": 5}
        assert (
            "5 iterations ended early: `push keys` failed: `keys` is a number, not a list "
            "(task `t`)"
        ) in told.outcome.notices
        assert counts(told.outcome, "request", "failure") == {("push keys", "extract"): 5}

    @pytest.mark.parametrize(
        ("which", "taken", "left"), [("first", 1, [2, 3]), ("last", 3, [1, 2])]
    )
    def test_pop_takes_an_element_out(self, which, taken, left):
        """And gives it a name."""
        told = one_iteration(assign(keys="[1, 2, 3]"), PopNode("keys", which, "key"), request())

        assert (names(told)["key"], names(told)["keys"]) == (taken, left)

    def test_a_random_pop_draws_from_the_users_stream(self):
        """All elements come, and in the same order in each run with the seed."""
        steps = (
            assign(keys="range(50) | list", got="[]"),
            RepeatNode(expr("50"), "50", (PopNode("keys", "random", "key"), push(got="key"))),
            request(),
        )
        first, second = one_iteration(*steps), one_iteration(*steps)

        assert sorted(names(first)["got"]) == list(range(50)) != names(first)["got"]
        assert names(first)["got"] == names(second)["got"]

    def test_nothing_can_be_taken_out_of_an_empty_list(self):
        """That ends the iteration as `extract`."""
        told = one_iteration(assign(keys="[]"), PopNode("keys", "first"), request())

        assert counts(told.outcome, "failure", kind="iteration") == {"extract": 5}
        assert told.target.requests == 0


class TestBranchesAndLoops:
    @pytest.mark.parametrize(("value", "sent"), [("1", "yes"), ("0", "no")])
    def test_if_runs_one_of_two_lists(self, value, sent):
        """By the value of its condition."""
        branch = IfNode(expr("x == 1"), "x == 1", (request("yes"),), (request("no"),))

        told = one_iteration(assign(x=value), branch)

        assert counts(told.outcome, "request") == {sent: 1}

    def test_if_without_else_may_do_nothing(self):
        """The steps after it run all the same."""
        told = one_iteration(IfNode(expr("false"), "false", (request("no"),)), request("after"))

        assert counts(told.outcome, "request") == {"after": 1}

    def test_repeat_runs_its_steps_that_often(self):
        """One after the other."""
        told = one_iteration(RepeatNode(expr("3"), "3", (request("a"), think(1))))

        assert told.asked() == pytest.approx([0.0, 1.01, 2.02])

    def test_while_looks_before_each_round(self):
        """Its steps can make the condition false."""
        loop = WhileNode(expr("n < 3"), "n < 3", 1000, (request("a"), assign(n="n + 1")))

        told = one_iteration(assign(n="0"), loop, request("after"))

        assert counts(told.outcome, "request") == {"a": 3, "after": 1}

    def test_while_ends_after_its_most_rounds(self):
        """The iteration goes on, and the user is told."""
        loop = WhileNode(expr("true"), "true", 4, (request("a"),))

        told = one_iteration(loop, request("after"))

        assert counts(told.outcome, "request") == {"a": 4, "after": 1}
        assert "`while: true` was still true after its last round (1 time)" in told.outcome.notices

    def test_foreach_gives_each_element_its_turn(self):
        """Also when its steps change the list."""
        loop = ForeachNode("id", expr("created"), "created", (push(created="id"), request("a")))

        told = one_iteration(assign(created="[1, 2, 3]"), loop)

        assert [scope["id"] for scope in told.target.scopes] == [1, 2, 3]
        assert names(told)["created"] == [1, 2, 3, 1, 2, 3]

    def test_foreach_needs_a_list(self):
        """Null is none."""
        told = one_iteration(ForeachNode("id", expr("none"), "none", (request(),)))

        assert counts(told.outcome, "failure", kind="iteration") == {"extract": 5}
        assert (
            "5 iterations ended early: `foreach id in none` failed: `none` is null, not a list "
            "(task `t`)"
        ) in told.outcome.notices

    def test_a_loop_that_waits_for_nothing_can_be_cut(self):
        """A billion rounds give others their turn, so the graceful stop ends them."""
        endless = RepeatNode(lambda _: 10**9, "10**9", (assign(n="1"),))
        users = user_class(task("t", endless))

        graph = make_graph(users, closed(1, 0.1, graceful_stop=0.01))
        outcome = asyncio.run(
            run(graph, clients={}, clock=MonotonicClock())  # virtual time would not go on
        )

        assert outcome.counters.aborted == 1

    def test_a_called_flow_runs_in_the_callers_place(self):
        """With its condition."""
        steps = (
            CallNode("f", (request("a"),)),
            CallNode("f", (request("b"),), when=expr("false")),
            CallNode("f", (request("c"),), when=expr("true")),
        )

        told = one_iteration(*steps)

        assert counts(told.outcome, "request") == {"a": 1, "c": 1}


class TestStop:
    def test_an_iteration_is_ended_without_a_failure(self):
        """The next one begins."""
        steps = (request("a"), StopNode(StopWhat.ITERATION), request("b"))

        told = run_graph(make_graph(user_class(task("t", *steps)), closed(1, 0.095)))

        assert counts(told.outcome, "request") == {"a": 10}
        assert counts(told.outcome, "failure", kind="iteration") == {"": 10}

    def test_a_user_is_ended(self):
        """Its on_stop runs, and the others go on."""
        stop = StopNode(StopWhat.USER, when=expr("user.id == 0"))
        users = user_class(task("t", request("a"), stop), on_stop=(request("bye"),))

        told = run_graph(make_graph(users, closed(2, 0.095)))

        assert counts(told.outcome, "request") == {"a": 11, "bye": 2}

    def test_a_phase_is_ended(self):
        """For all its users; the next phase runs."""
        stop = StopNode(StopWhat.PHASE, when=expr("phase.name == 'one'"))
        users = user_class(task("t", request("a"), stop), wait=pause(1))

        told = run_graph(make_graph(users, closed(3, 60, name="one"), closed(1, 2, name="two")))

        assert counts(told.outcome, "phase") == {"one": 3, "two": 2}
        assert told.outcome.ending is Ending.FINISHED
        assert told.seconds(told.outcome.phases[0].end_ns) == pytest.approx(0.01)

    def test_the_plan_is_ended(self):
        """With its other phases; that is no failure."""
        users = user_class(task("t", request("a"), StopNode(StopWhat.PLAN)))

        told = run_graph(make_graph(users, closed(1, 60, name="one"), closed(1, 60, name="two")))

        assert counts(told.outcome, "phase") == {"one": 1}
        assert told.outcome.ending is Ending.FINISHED
        assert "`stop: plan`" in told.outcome.reason


class TestLog:
    def test_a_line_reaches_the_listener_within_a_second(self):
        """As text."""
        log = LogNode(expr("[1, true]"), "[1, true]")

        told = one_iteration(log, request())

        assert [e for e in told.events if isinstance(e, Logged)] == [Logged(("[1,true]",), 0)]

    def test_ten_lines_a_second_are_kept(self):
        """The others are counted."""
        users = user_class(task("t", LogNode(expr("'x'"), "x"), request()))

        told = run_graph(make_graph(users, closed(1, 2)))

        logged = [event for event in told.events if isinstance(event, Logged)]
        assert [(len(event.lines), event.suppressed) for event in logged] == [(10, 90), (10, 90)]


class TestOnce:
    def test_what_setup_sets_reaches_every_user(self):
        """And teardown."""
        setup = Block((request("make", measured=False), assign(epoch="7")), names=("epoch",))
        teardown = Block((request("unmake", measured=False),))
        graph = make_graph(user_class(), closed(2, 0.005), setup=setup, teardown=teardown)

        told = run_graph(graph)

        assert [scope.get("epoch") for scope in told.target.scopes] == [None, 7, 7, 7]
        assert counts(told.outcome, "request", "phase", "measured") == {
            ("make", "setup", False): 1,
            ("GET /", "main", True): 2,
            ("unmake", "teardown", False): 1,
        }

    def test_a_failed_setup_keeps_the_load_from_being_sent(self):
        """The run could not run; teardown takes away what was made."""
        setup = Block((request("make", Answer(status=500), measured=False), request("never")))
        teardown = Block((request("unmake", measured=False),))

        told = run_graph(make_graph(user_class(), closed(2, 9), setup=setup, teardown=teardown))

        assert counts(told.outcome, "request") == {"make": 1, "unmake": 1}
        assert told.outcome.ending is Ending.CANNOT_RUN
        assert told.outcome.reason == "`setup` failed: `make` failed: status 500"

    def test_an_interrupted_run_is_torn_down(self):
        """Ctrl-C once, here in the middle of setup, which is cut."""
        setup = Block((request("make", Answer(delay_ns=10**12), measured=False),))
        teardown = Block((request("unmake", measured=False),))
        graph = make_graph(user_class(), closed(2, 9), setup=setup, teardown=teardown)

        told = run_graph(graph, stop_at={1: "interrupted"})

        assert counts(told.outcome, "request", "failure") == {
            ("make", "aborted"): 1,
            ("unmake", ""): 1,
        }
        assert told.seconds(told.outcome.ended_ns) == pytest.approx(1.01)

    def test_a_second_interrupt_ends_teardown(self):
        """At once."""
        teardown = Block((request("unmake", Answer(delay_ns=10**12), measured=False),))
        graph = make_graph(user_class(), closed(1, 9), teardown=teardown)

        told = run_graph(graph, stop_at={1: "interrupted", 2: "interrupted"})

        assert told.seconds(told.outcome.ended_ns) == 2.0

    def test_a_failed_teardown_is_told(self):
        """It changes nothing else."""
        teardown = Block((request("unmake", Answer(status=404), measured=False),))

        told = run_graph(make_graph(user_class(), closed(1, 1), teardown=teardown))

        assert told.outcome.notices[0] == "`teardown` failed: `unmake` failed: status 404"
        assert told.outcome.ending is Ending.FINISHED


def test_a_group_of_unmeasured_steps_is_no_result():
    """As its requests are none."""
    group = GroupNode("login", (request("in", measured=False),), measured=False)

    told = run_graph(make_graph(user_class(on_start=(group,)), closed(1, 0.005)))

    assert counts(told.outcome, "request", "measured", kind="group") == {("login", False): 1}


class TestChoices:
    def test_one_list_is_drawn_by_weight(self):
        """From the user's stream: of 4,000 draws three quarters, and the same in every run."""
        steps = ChooseNode(((3, (assign(x="'often'"),)), (1, (assign(x="'rarely'"),))))
        loop = RepeatNode(expr("1000"), "1000", (steps, push(seen="x")))
        graph = [
            user_class(task("t", assign(seen="[]"), loop, request())),
            closed(4, 0.005),
        ]
        first, second = (run_graph(make_graph(*graph)) for _ in range(2))

        seen = [scope["seen"] for scope in first.target.scopes]
        assert sum(each.count("often") for each in seen) / 4000 == pytest.approx(0.75, abs=0.03)
        assert seen == [scope["seen"] for scope in second.target.scopes]

    @pytest.mark.parametrize(
        ("value", "taken"),
        [("'gold'", "lounge"), ("2", "two"), ("true", "yes"), ("'tin'", "door"), ("none", "door")],
    )
    def test_the_steps_at_the_value_run(self, value, taken):
        """As text, as YAML's keys are; those of `else` for all others."""
        cases = tuple(
            (key, (assign(at=f"'{name}'"),))
            for key, name in (("gold", "lounge"), ("2", "two"), ("true", "yes"))
        )
        switch = SwitchNode(expr("plan"), "plan", cases, (assign(at="'door'"),))

        told = one_iteration(assign(plan=value), switch, request())

        assert names(told)["at"] == taken

    def test_without_else_nothing_runs_for_other_values(self):
        """As with `if`."""
        switch = SwitchNode(expr("1"), "1", (("2", (request("two"),)),))

        told = one_iteration(switch, request())

        assert counts(told.outcome, "request") == {"GET /": 1}

    def test_a_value_that_is_none_ends_the_iteration(self):
        """A failure under the step's own name."""
        switch = SwitchNode(expr("nobody.knows"), "nobody.knows", (("2", (request(),)),))

        told = one_iteration(switch, request())

        assert set(counts(told.outcome, "request", "failure")) == {
            ("switch nobody.knows", "extract")
        }


class TestCalls:
    def test_arguments_live_as_long_as_the_call(self):
        """What they hide has its value again, and what the flow sets stays."""
        inner = (assign(seen="role"), assign(role="'changed'"))
        call = CallNode("f", inner, (("role", expr("'admin'")),), "made", ("seen",))

        told = one_iteration(assign(role="'mine'"), call, request())

        scope = names(told)
        assert (scope["role"], scope["seen"], scope["made"]) == ("mine", "admin", {"seen": "admin"})

    def test_an_argument_that_hid_nothing_is_gone(self):
        """Also when a step of the flow ended the iteration."""
        call = CallNode("f", (StopNode(StopWhat.ITERATION),), (("role", expr("'x'")),))

        told = run_graph(make_graph(user_class(task("t", request(), call)), closed(1, 0.015)))

        assert all("role" not in scope for scope in told.target.scopes)

    def test_a_flow_may_call_another_with_the_same_argument(self):
        """Each has its own."""
        inner = CallNode("g", (push(seen="n"),), (("n", expr("n + 1")),))
        outer = CallNode("f", (inner, push(seen="n")), (("n", expr("1")),))

        told = one_iteration(assign(seen="[]"), outer, request())

        assert names(told)["seen"] == [2, 1]


def test_a_name_of_the_plan_comes_back_after_the_iteration():
    """The user hides it until then, and no other user sees that."""
    users = user_class(
        task("t", request("before"), assign(amount="amount + 1"), request("after")),
        iteration_names=("amount",),
        hidden_names=("amount",),
    )
    told = run_graph(make_graph(users, closed(2, 0.035), scope={"amount": 5}))

    assert [scope["amount"] for scope in told.target.scopes] == [5, 5, 6, 6] * 2


def test_a_group_that_is_cut_while_it_thinks_is_no_success():
    """The end of the run aborts it, as it does a request; the time limit of its task fails it."""
    group = GroupNode("checkout", (request("in"), think(60)))
    late = replace(task("t", group), timeout_ns=10_000_000_000)

    cut = run_graph(make_graph(user_class(task("t", group)), closed(1, 5, graceful_stop=0)))
    timed_out = run_graph(make_graph(user_class(late), closed(1, 15)))

    assert counts(cut.outcome, "failure", kind="group") == {"aborted": 1}
    assert counts(timed_out.outcome, "failure", kind="group") == {"timeout": 2}
