"""Rows of data: who draws which, when they come to an end, and who gives them back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.engine import Ending
from planrunner.engine.users.data_feeds import open_feed
from planrunner.errors import CannotRun
from planrunner.graph.data import DataNode, OnEnd, Order
from planrunner.language.expressions.values import EvaluationError
from planrunner.schedule.partition import WorkerShare
from tests.support.graphs import (
    Answer,
    closed,
    make_graph,
    request,
    run_graph,
    task,
    think,
    user_class,
)


def source(rows=("a", "b", "c"), **node) -> DataNode:
    return DataNode("data", "list", (), len(rows), rows=tuple(rows), **node)


def held(rows, **node) -> DataNode:
    return source(rows, per_user=True, unique=True, **node)


def run_with(node, *phases, users=None, **kwargs):
    """Run users that read the source; each iteration takes 10 ms."""
    users = users or user_class(task("get", request()))
    graph = make_graph(replace(users, data=("data",)), *phases)
    return run_graph(replace(graph, data=(node,)), **kwargs)


def seen(told) -> list[object]:
    """The row of each request, in order."""
    return [scope["data"] for scope in told.target.scopes]


def draws(node, count, *, seed=1, rng=None, **opened) -> list[object]:
    feed = open_feed(node, seed=seed, scope={}, **opened)
    rng = rng or Random(5)
    return [feed.draw(rng) for _ in range(count)]


def made(count, **node) -> DataNode:
    fields = {"id": lambda scope: scope["rand"].uuid()}
    return DataNode("data", "generate", ("id",), count, fields=fields, **node)


class TestOrder:
    def test_sequential_rows_come_in_their_order_over_and_over(self):
        """One sequence for all users of the run."""
        assert draws(source(), 7) == list("abcabca")

    @given(st.integers(1, 40), st.integers(0, 99))
    def test_a_shuffle_is_a_permutation_and_the_next_round_another_one(self, count, seed):
        """Every row once a round."""
        rows = range(count)

        drawn = draws(source(rows, order=Order.SHUFFLE), 3 * count, seed=seed)

        rounds = [drawn[start : start + count] for start in (0, count, 2 * count)]
        assert all(sorted(one) == list(rows) for one in rounds)
        assert count < 15 or rounds[0] != rounds[1] != rounds[2]

    def test_every_permutation_is_as_likely(self):
        """Of 6,000 shuffles of three rows each order has its sixth."""
        found = Counter(
            "".join(draws(source(order=Order.SHUFFLE), 3, seed=seed)) for seed in range(6000)
        )

        assert len(found) == 6
        assert all(850 < times < 1150 for times in found.values())

    @given(st.integers(1, 30), st.integers(0, 99))
    def test_random_rows_are_the_users_own_draws(self, count, seed):
        """The same stream draws the same rows, whatever other users do."""
        node = source(range(count), order=Order.RANDOM)

        first = draws(node, 20, rng=Random(seed))
        again = draws(node, 20, rng=Random(seed), seed=2)

        assert first == again
        assert set(first) <= set(range(count))

    def test_random_rows_repeat_and_leave_none_out(self):
        """With repetition, and evenly."""
        found = Counter(draws(source(order=Order.RANDOM), 3000))

        assert all(900 < times < 1100 for times in found.values())

    def test_random_and_unique_is_a_shuffle(self):
        """A row that was drawn isn't drawn again."""
        node = source(range(50), order=Order.RANDOM, unique=True, on_end=OnEnd.STOP_USER)

        drawn = draws(node, 50)

        assert drawn != sorted(drawn)
        assert sorted(drawn) == list(range(50))

    @pytest.mark.parametrize("order", list(Order))
    def test_the_seed_decides(self, order):
        """Two runs with one seed are the same."""
        node = source(range(100), order=order)
        runs = [run_with(node, closed(3, 0.3)) for _ in range(2)]

        assert seen(runs[0]) == seen(runs[1])

    def test_another_seed_is_another_shuffle(self):
        """What one run finds, the next may find elsewhere."""
        node = source(range(100), order=Order.SHUFFLE)

        assert draws(node, 100, seed=1) != draws(node, 100, seed=2)


class TestEnd:
    @pytest.mark.parametrize("on_end", [OnEnd.STOP_USER, OnEnd.STOP_PLAN, OnEnd.ERROR])
    def test_every_row_is_drawn_once_before_the_end(self, on_end):
        """Unique or not: only `cycle` begins again."""
        told = run_with(source(range(10), on_end=on_end), closed(3, 5))

        assert sorted(seen(told)) == list(range(10))

    def test_unique_rows_come_once_a_run(self):
        """A later phase goes on where the one before ended; warm-up consumes too."""
        node = source(range(25), unique=True, on_end=OnEnd.STOP_USER)

        told = run_with(node, closed(1, 0.15, name="a", warmup=0.1), closed(1, 1, name="b"))

        assert seen(told) == list(range(25))

    def test_stop_user_ends_users_with_their_on_stop(self):
        """The run goes on to its end, and says what happened."""
        users = user_class(task("get", request()), on_stop=(request("bye"),))
        node = source(range(4), on_end=OnEnd.STOP_USER)

        told = run_with(node, closed(2, 3), users=users)

        assert told.outcome.ending is Ending.FINISHED
        assert told.target.requests == 4 + 2
        assert "the data source `data` had no row left for 2 users" in told.outcome.notices

    def test_stop_plan_ends_the_run_in_good_order(self):
        """It did what the plan says, so thresholds judge it."""
        told = run_with(source(on_end=OnEnd.STOP_PLAN), closed(1, 60))

        assert told.outcome.ending is Ending.FINISHED
        assert told.outcome.reason == "no row of `data` is left"
        assert told.seconds(told.outcome.ended_ns) < 1

    def test_error_ends_the_run_as_one_that_could_not_go_on(self):
        """Exit code 3."""
        told = run_with(source(on_end=OnEnd.ERROR), closed(1, 60))

        assert told.outcome.ending is Ending.CANNOT_RUN
        assert told.outcome.reason == "no row of `data` is left"


class TestPerUser:
    def test_a_user_keeps_its_row(self):
        """Drawn as it starts: known in its state, on_start and every iteration."""
        users = user_class(
            task("get", request()),
            state=(("first", lambda scope: scope["data"]),),
            on_start=(request("hello"),),
        )

        told = run_with(source(per_user=True), closed(2, 0.1), users=users)

        rows = {scope["user"]["id"]: set() for scope in told.target.scopes}
        for scope in told.target.scopes:
            rows[scope["user"]["id"]] |= {scope["data"], scope["first"]}
        assert rows == {0: {"a"}, 1: {"b"}}

    def test_a_row_is_free_again_when_its_user_has_gone(self):
        """Two phases with two users each need two rows, not four."""
        told = run_with(held("ab"), closed(2, 0.1, name="a"), closed(2, 0.1, name="b"))

        by_phase = {(scope["phase"]["name"], scope["data"]) for scope in told.target.scopes}
        assert by_phase == {("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")}

    def test_a_row_is_free_again_when_on_start_failed(self):
        """Or its user was cut while it ran."""
        users = user_class(task("get", request()), on_start=(request("no", Answer(status=500)),))

        told = run_with(held("a"), closed(1, 0.1, name="a"), closed(1, 0.1, name="b"), users=users)

        assert seen(told) == ["a"]
        assert told.outcome.counters.rows_ended == {}

    def test_rows_that_nobody_had_come_first(self):
        """So which user gets which row doesn't hang on who ended first."""
        told = run_with(held("abcd"), closed(2, 0.1, name="a"), closed(2, 0.1, name="b"))

        by_phase = {(scope["phase"]["name"], scope["data"]) for scope in told.target.scopes}
        assert by_phase == {("a", "a"), ("a", "b"), ("b", "c"), ("b", "d")}

    @pytest.mark.slow
    @given(
        rows=st.integers(1, 6),
        users=st.integers(1, 8),
        ramp=st.sampled_from([0, 0.2]),
        order=st.sampled_from(list(Order)),
        on_end=st.sampled_from([OnEnd.CYCLE, OnEnd.STOP_USER]),
    )
    def test_no_two_live_users_ever_share_a_row(self, rows, users, ramp, order, on_end):
        """Not even when there are too few: then users don't start."""
        holders: dict[object, set[object]] = {}

        def look(scope):
            holders.setdefault(scope["data"], set()).add(
                (scope["phase"]["name"], scope["user"]["id"])
            )
            return Answer()

        node = held(range(rows), order=order, on_end=on_end)
        phases = closed(users, 0.3, ramp_up=ramp, name="a"), closed(users, 0.3, name="b")
        told = run_with(node, *phases, users=user_class(task("get", request("get", look))))

        for phase in "ab":
            mine = [[user for name, user in found if name == phase] for found in holders.values()]
            assert all(len(found) <= 1 for found in mine)
        short = max(0, users - rows)
        assert told.outcome.counters.rows_ended["data"] == 2 * short

    def test_no_free_row_stops_the_plan_when_it_says_so(self):
        """The words say that the rows are held, not used up."""
        told = run_with(held("a", on_end=OnEnd.STOP_PLAN), closed(2, 60))

        assert told.outcome.reason == "no row of `data` is free: users hold all of them"


class TestWhere:
    def test_a_user_that_reads_no_data_draws_none(self):
        """Its class doesn't name the source."""
        users = user_class(task("get", request()))
        graph = replace(make_graph(users, closed(1, 0.1)), data=(source(),))

        told = run_graph(graph)

        assert all("data" not in scope for scope in told.target.scopes)

    def test_each_iteration_draws_one_row(self):
        """However many requests it sends."""
        users = user_class(task("get", request(), think(0.1), request()))

        told = run_with(source(), closed(1, 0.35), users=users)

        assert seen(told) == list("aabbcc")

    def test_made_rows_depend_on_seed_and_number_only(self):
        """In any order, on any worker, made before the run or during it."""
        few, many = made(3), made(20_000)

        first = draws(few, 3)
        assert draws(many, 3) == first
        assert len({row["id"] for row in first}) == 3
        assert draws(few, 3, seed=2) != first

    def test_a_row_that_cannot_be_made_keeps_the_run_from_starting(self):
        """Nothing is sent."""

        def fail(scope):
            raise EvaluationError("`x` has no value")

        node = DataNode("data", "generate", ("id",), 3, fields={"id": fail})

        with pytest.raises(CannotRun, match="data `data`: `x` has no value"):
            run_with(node, closed(1, 1))

    def test_a_file_that_was_broken_since_it_was_checked_ends_the_run(self, tmp_path, monkeypatch):
        """With the line of the file."""
        monkeypatch.setattr("planrunner.data.data_format._MAX_IN_MEMORY", 0)
        path = tmp_path / "rows.csv"
        path.write_text("name\na\nb,b\n")
        node = DataNode("data", "csv", ("name",), 2, file="rows.csv", path=str(path))

        told = run_with(node, closed(1, 60))

        assert told.outcome.ending is Ending.CANNOT_RUN
        assert told.outcome.reason == (
            "data `data`: rows.csv:3: the row has 2 values, but the header names 1"
        )

    def test_a_file_that_is_gone_keeps_the_run_from_starting(self, tmp_path):
        """Exit code 3, no traceback."""
        path = str(tmp_path / "rows.csv")
        node = DataNode("data", "csv", ("name",), 2, file="rows.csv", path=path)

        with pytest.raises(CannotRun):
            run_with(node, closed(1, 1))


@given(
    rows=st.integers(1, 30),
    workers=st.integers(1, 4),
    order=st.sampled_from(list(Order)),
    needs=st.lists(st.integers(0, 5), min_size=4, max_size=4),
    per_user=st.booleans(),
)
def test_unique_rows_are_dealt_to_workers_without_overlap(rows, workers, order, needs, per_user):
    """All workers together draw each row exactly once, in any order of rows."""
    node = source(range(rows), order=order, unique=True, per_user=per_user, on_end=OnEnd.STOP_USER)
    drawn = []

    for worker in range(workers):
        feed = open_feed(
            node, seed=3, scope={}, share=WorkerShare(worker, workers), needs=needs[:workers]
        )
        while True:
            try:
                drawn.append(feed.draw(Random(worker)))
            except StopIteration:
                break

    assert sorted(drawn) == list(range(rows))


def test_workers_take_turns_in_one_shuffle():
    """What two workers draw is what one would draw."""
    node = source(range(9), order=Order.SHUFFLE)
    alone = draws(node, 18)

    halves = [draws(node, 9, share=WorkerShare(worker, 2)) for worker in (0, 1)]

    assert [row for pair in zip(*halves, strict=True) for row in pair] == alone
    assert list(islice(alone, 9)) != sorted(alone[:9])
