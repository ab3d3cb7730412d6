"""Who sees what a step sets, and for how long: plan, user, iteration; nothing leaks."""

from __future__ import annotations

import pytest

from planrunner.engine import Ending
from planrunner.graph.data import DataNode
from planrunner.graph.run_graph import (
    Block,
    ForeachNode,
    PushNode,
    SetNode,
)
from planrunner.language.expressions.expression import parse
from tests.support.graphs import (
    Answer,
    closed,
    make_graph,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.own_steps import call


def expr(source):
    return parse(source).lower({}).evaluate


def assign(**values):
    return SetNode(tuple((name, expr(source)) for name, source in values.items()))


def push(**values):
    return PushNode(tuple((name, expr(source)) for name, source in values.items()))


def run_steps(*steps, users=1, seconds=0.005, state=(), parts=None, **program):
    program = {"state": state, **program}
    users_of = user_class(task("t", *steps), **program)
    return run_graph(make_graph(users_of, closed(users, seconds), **(parts or {})))


def last(told):
    return told.target.scopes[-1]


class TestIteration:
    def test_what_an_iteration_sets_is_gone_in_the_next(self):
        """Also what it extracts; what stands in `state` stays."""
        steps = (request(), assign(mine="1", kept="kept + 1"))

        told = run_steps(
            *steps, seconds=0.025, state=(("kept", lambda _: 0),), iteration_names=("mine",)
        )

        assert [(s.get("mine"), s["kept"]) for s in told.target.scopes] == [
            (None, 0),
            (None, 1),
            (None, 2),
        ]


class TestUser:
    def test_state_is_each_users_own(self):
        """Though its first value is one object of the plan."""
        shared = [[1]]
        steps = (push(seen="user.id"), request())

        told = run_steps(*steps, users=3, state=(("seen", lambda _: shared),))

        assert [scope["seen"] for scope in told.target.scopes] == [[[1], 0], [[1], 1], [[1], 2]]
        assert shared == [[1]]

    def test_a_later_phase_begins_afresh(self):
        """New users, new state."""
        users = user_class(task("t", request(), assign(n="n + 1")), state=(("n", lambda _: 0),))

        told = run_graph(make_graph(users, closed(1, 0.015, name="a"), closed(1, 0.005, name="b")))

        assert [scope["n"] for scope in told.target.scopes] == [0, 1, 0]


class TestTwoNamesForOneList:
    def test_a_copy_does_not_change_with_its_original(self):
        """`set: {before: "${keys}"}` keeps what the list was."""
        told = run_steps(
            assign(keys="[1]"),
            push(keys="2"),
            assign(before="keys"),
            push(keys="3"),
            push(before="9"),
            request(),
        )

        assert (last(told)["keys"], last(told)["before"]) == ([1, 2, 3], [1, 2, 9])

    def test_a_list_can_be_pushed_to_itself(self):
        """As the value that it was; not as something without an end."""
        told = run_steps(assign(keys="[1]"), push(keys="2"), push(keys="keys"), request())

        assert last(told)["keys"] == [1, 2, [1, 2]]

    def test_a_list_inside_a_mapping_keeps_its_value_too(self):
        """Wherever the value went."""
        told = run_steps(
            assign(keys="[1]"),
            push(keys="2"),
            assign(box="{'keys': keys}"),
            push(keys="3"),
            request(),
        )

        assert last(told)["box"] == {"keys": [1, 2]}

    def test_the_row_of_a_loop_is_not_the_list_it_came_from(self):
        """Changing the one leaves the other as it was."""
        loop = ForeachNode("row", expr("rows"), "rows", (push(row="0"),))

        told = run_steps(assign(rows="[[1], [2]]"), loop, request())

        assert (last(told)["rows"], last(told)["row"]) == ([[1], [2]], [2, 0])


class TestPlan:
    def test_what_a_failed_setup_made_is_known_to_teardown(self):
        """Else it could not be taken away."""
        setup = Block(
            (request("make", measured=False), assign(made="7"), request("no", Answer(status=500))),
            names=("made", "never"),
        )
        teardown = Block((request("unmake", measured=False),))

        told = run_graph(make_graph(user_class(), closed(1, 9), setup=setup, teardown=teardown))

        assert told.outcome.ending is Ending.CANNOT_RUN
        assert last(told)["made"] == 7
        assert "never" not in last(told)

    @pytest.mark.parametrize("name", ["cfg", "row"])
    def test_a_hook_cannot_change_what_users_share(self, tmp_path, name):
        """Neither through its arguments nor through the names it sees."""
        hooks = tmp_path / "hooks.py"
        hooks.write_text(
            "def spoil(given, context):\n"
            "    given['a'].append(1)\n"
            f"    context.names['{name}']['a'].append(2)\n"
        )
        value = {"a": [0]}
        parts = {
            "scope": {"cfg": value},
            "data": (DataNode("row", "list", ("a",), 1, rows=(value,)),),
        }
        spoil = call("spoil", hooks=hooks, given=name)

        told = run_steps(spoil, request(), users=2, data=("row",), parts=parts)

        assert len(told.target.scopes) == 2
        assert value == {"a": [0]}
