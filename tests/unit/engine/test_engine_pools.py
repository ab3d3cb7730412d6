"""Lists that users share: who puts in, who takes out, who waits, on one worker and on several."""

from __future__ import annotations

from collections import Counter

import pytest

from planrunner.errors import CannotRun
from planrunner.graph.run_graph import (
    Block,
    GroupNode,
    PoolNode,
    PopNode,
    PushNode,
    SetNode,
)
from planrunner.language.expressions.expression import parse
from planrunner.metrics.histogram import Histogram
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    FakeTarget,
    closed,
    counts,
    make_graph,
    request,
    run_graph,
    task,
    think,
    user_class,
)
from tests.support.loads import counted, open_phase
from tests.support.remote_pools import run_fleet


def expr(source):
    return parse(source).lower({}).evaluate


def push(source, pool="orders"):
    return PushNode(((f"pool.{pool}", expr(source)),))


def pop(which="first", *, wait=0.0, pool="orders"):
    return PopNode(pool, which, "order", is_pool=True, wait_ns=round(wait * NS_PER_S))


def pool(*values, name="orders", **more):
    return PoolNode(name, values=tuple(map(expr, values)), **more)


RUN = pool(of_run=True)
EMPTY = (pool(),)


def users(steps, name, number=1, **more):
    return user_class(task(name, *steps), name=name, count=number, **more)


def sent(told, name="order"):
    """What the requests of consumers had in this variable."""
    return [scope[name] for scope in told.target.scopes if name in scope]


def longest(told, kind):
    """The longest latency of samples of this kind, of users that take out of a pool."""
    found = Histogram()
    for labels, total in told.outcome.total.totals.items():
        if labels.kind == kind and labels.user != "Producer":
            found.merge(total.latency)
    return found.max


def run_steps(*steps, pools=EMPTY, phases=None, **more):
    return run_graph(
        make_graph(
            user_class(task("t", *steps), **more),
            *(phases or (counted(1, iterations=1),)),
            pools=tuple(pools),
        )
    )


@pytest.mark.parametrize(("which", "taken"), [("first", [1, 2, 3]), ("last", [3, 2, 1])])
def test_elements_come_out_from_the_end_that_is_asked_for(which, taken):
    """Whoever put them in."""
    takes = [step for _ in range(3) for step in (pop(which), request())]

    assert sent(run_steps(push("1"), push("2"), push("3"), *takes)) == taken


def test_a_random_element_comes_from_the_users_stream():
    """The same seed takes the same ones."""
    values = [pool(*map(str, range(50)))]
    takes = [step for _ in range(20) for step in (pop("random"), request())]

    first, second = sent(run_steps(*takes, pools=values)), sent(run_steps(*takes, pools=values))

    assert first == second
    assert len(set(first)) == 20
    assert first != sorted(first)


def test_an_empty_pool_is_a_failure_at_once():
    """Of the kind `extract`, under the name of the step; the iteration ends."""
    told = run_steps(pop(), request())

    assert told.target.requests == 0
    assert counts(told.outcome, "request", "failure") == {
        ("pop first of pool.orders", "extract"): 1
    }
    assert told.outcome.notices == (
        "1 iteration ended early: `pop first of pool.orders` failed: `pool.orders` is empty, so "
        "nothing can be taken out of it (task `t`)",
    )


def test_a_user_waits_for_another_to_push():
    """The wait is part of no latency, and of no time of a group."""
    consume = GroupNode("g", (pop(wait=5), request()))
    classes = (
        users([think(2), push("7")], "Producer"),
        users([consume], "Consumer"),
    )

    told = run_graph(
        make_graph(
            classes,
            counted(2, per_user=1, classes=("Producer", "Consumer")),
            pools=(pool(),),
        )
    )

    assert sent(told) == [7]
    assert told.asked() == [2]
    assert (
        longest(told, "request")
        == longest(told, "group")
        == pytest.approx(10 * NS_PER_MS, rel=0.01)
    )


def test_a_wait_that_is_over_is_a_failure():
    """After exactly that time."""
    told = run_steps(pop(wait=5), request())

    assert counts(told.outcome, "request", "failure") == {
        ("pop first of pool.orders", "extract"): 1
    }
    assert "`pool.orders` was still empty after 5s" in told.outcome.notices[0]
    assert told.seconds(told.outcome.ended_ns) == pytest.approx(5, abs=0.002)


def test_who_waits_first_is_served_first():
    """However they take."""
    consumers = [
        users([think(number / 10), pop("last", wait=60), request(f"C{number}")], f"C{number}")
        for number in range(3)
    ]
    producer = users([think(1), push("0"), push("1"), push("2")], "Producer")
    classes = (*consumers, producer)
    phase = counted(4, per_user=1, classes=[one.name for one in classes])

    told = run_graph(make_graph(classes, phase, pools=(pool(),)))

    assert sent(told) == [0, 1, 2]
    assert [scope["user"]["class"] for scope in told.target.scopes] == ["C0", "C1", "C2"]


def test_the_end_of_a_phase_ends_a_wait_without_a_failure():
    """Who has sent nothing yet has begun nothing; others end their iteration there."""
    classes = (
        users([pop(wait=300), request()], "First"),
        users([request("before"), pop(wait=300), request("after")], "Later"),
    )

    told = run_graph(make_graph(classes, closed(2, 1, classes=("First", "Later")), pools=(pool(),)))

    assert counts(told.outcome, "request", "failure") == {("before", ""): 1}
    assert counts(told.outcome, "task", "failure", kind="iteration") == {("Later", ""): 1}
    assert told.outcome.notices == ("no user of class `First` began an iteration in phase `main`",)


def test_the_due_time_of_an_arrival_moves_with_the_wait():
    """What it waited for is no latency of its first request."""
    visitor = user_class(task("t", pop(wait=5), request()), name="Visitor")
    producer = users([think(1), push("1")], "Producer")

    told = run_graph(
        make_graph(
            (visitor, producer),
            open_phase(1, 1, start_at=0),
            counted(1, iterations=1, name="beside", classes=("Producer",), start_at=0),
            pools=(pool(),),
        )
    )

    assert told.target.requests == 1
    assert longest(told, "request") == pytest.approx(10 * NS_PER_MS, rel=0.01)


def test_a_full_pool_drops_and_says_so():
    """What is in it stays."""
    told = run_steps(
        push("1"), push("2"), push("3"), push("4"), pop(), request(), pools=[pool(most=2)]
    )

    assert sent(told) == [1]
    assert told.outcome.notices == (
        "the pool `orders` was full: 2 pushed values were dropped; give it a greater `max`, or "
        "take more out of it",
    )


def test_a_pool_lives_for_the_whole_run():
    """The next phase finds what the one before left."""
    phases = (
        counted(1, iterations=2, classes=("P",)),
        counted(1, iterations=2, name="then", classes=("C",)),
    )
    classes = (users([push("user.id")], "P"), users([pop(), request()], "C"))

    told = run_graph(make_graph(classes, *phases, pools=(pool(),)))

    assert sent(told) == [0, 0]


def test_first_values_and_those_of_setup_come_first():
    """In the order of the plan."""
    graph = make_graph(
        user_class(task("t", pop(), request())),
        counted(1, iterations=3),
        pools=(pool("'a'", "'b'"),),
        setup=Block((push("'c'"),)),
    )

    assert sent(run_graph(graph)) == ["a", "b", "c"]


def test_a_first_value_without_a_value_ends_the_run_before_it_begins():
    """It names the pool."""
    with pytest.raises(CannotRun, match="a value of the pool `orders` can't be had"):
        run_steps(request(), pools=[pool("nothing")])


def test_expressions_read_the_elements_of_a_workers_pool():
    """What they keep doesn't change with the pool."""
    kept = SetNode((("seen", expr("pool.orders")),))

    told = run_steps(
        push("1"), kept, push("2"), SetNode((("n", expr("pool.orders | length")),)), request()
    )

    scope = told.target.scopes[-1]
    assert (list(scope["seen"]), scope["n"]) == ([1], 2)


def test_a_pushed_list_is_no_other_users():
    """Who takes it out may change it, and the one who pushed it has its own."""
    push_own = PushNode((("own", expr("2")),))
    push_taken = PushNode((("order", expr("3")),))
    own = SetNode((("own", lambda _: [1]),))

    told = run_steps(own, push("own"), pop(), push_own, push_taken, request())

    scope = told.target.scopes[-1]
    assert (scope["own"], scope["order"]) == ([1, 2], [1, 3])


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_pool_of_the_run_gives_each_element_once(workers):
    """Whichever worker took it."""
    classes = (
        users([push("rand.int(0, 10**12)")], "P", 4),
        users([pop(wait=60), request()], "C", 4),
    )
    graph = make_graph(classes, counted(8, per_user=25, classes=("P", "C")), pools=(RUN,))

    told = run_fleet(graph, workers) if workers > 1 else run_graph(graph)

    assert len(sent(told)) == len(set(sent(told))) == 100
    assert counts(told.outcome, "failure") == {"": 100}


def test_a_waiter_is_served_by_another_worker():
    """As soon as the value comes, and no part of it is latency."""
    classes = (users([think(2), push("'x'")], "P"), users([pop(wait=60), request()], "C"))
    graph = make_graph(classes, counted(2, per_user=1, classes=("P", "C")), pools=(RUN,))

    told = run_fleet(graph, 2)

    assert sent(told) == ["x"]
    assert told.asked() == pytest.approx([2], abs=0.3)


@pytest.mark.parametrize("wait", [0, 2])
def test_an_empty_pool_of_the_run_is_a_failure(wait):
    """At once, or after the wait."""
    graph = make_graph(
        user_class(task("t", pop(wait=wait), request())), counted(2, per_user=1), pools=(RUN,)
    )

    told = run_fleet(graph, 2)

    assert counts(told.outcome, "failure") == {"extract": 2}


def test_a_full_pool_of_the_run_drops_too():
    """The coordinator counts."""
    graph = make_graph(
        user_class(task("t", push("1"))),
        counted(2, per_user=3),
        pools=(pool(of_run=True, most=2),),
    )

    assert run_fleet(graph, 2).outcome.counters.pool_drops == Counter(orders=4)


def test_a_value_that_only_one_process_has_is_a_failure():
    """It can't be sent to the others."""
    graph = make_graph(
        user_class(task("t", SetNode((("f", lambda _: lambda: 1),)), push("f"))),
        counted(2, per_user=1),
        pools=(RUN,),
    )

    told = run_fleet(graph, 2)

    assert counts(told.outcome, "request", "failure") == {("push pool.orders", "extract"): 2}


def test_first_values_are_dealt_to_the_workers():
    """Each element is had once, those of `setup` too."""
    graph = make_graph(
        user_class(task("t", pop(), request())),
        counted(2, per_user=2),
        pools=(pool("1", "2", "3"),),
        setup=Block((push("4"),)),
    )

    assert sorted(sent(run_fleet(graph, 2))) == [1, 2, 3, 4]


def test_the_end_of_a_phase_ends_waits_for_another_worker():
    """And what comes too late for one user stays for the next phase."""
    classes = (users([pop(wait=300), request()], "C", 2), users([push("1")], "P"))
    graph = make_graph(
        classes,
        closed(2, 1, classes=("C",)),
        counted(1, iterations=1, name="then", classes=("P",)),
        counted(2, iterations=1, name="last", classes=("C",)),
        pools=(RUN,),
    )

    told = run_fleet(graph, 2)

    assert counts(told.outcome, "phase", "failure") == {("last", ""): 1}


def test_a_value_for_a_user_that_is_cancelled_stays_in_the_pool():
    """A task's time limit ends the wait in the same moment."""
    target = FakeTarget()
    limited = task("t", pop(wait=60), request())
    classes = (
        user_class(
            limited.__class__("t", 1, limited.steps, timeout_ns=NS_PER_S), name="C", count=1
        ),
        users([think(1), push("1"), think(1), pop(), request()], "P"),
    )
    graph = make_graph(classes, counted(2, per_user=1, classes=("C", "P")), pools=(pool(),))

    run_graph(graph, target=target)

    assert [scope["order"] for scope in target.scopes] == [1]


def test_users_of_other_plans_pay_nothing():
    """Without pools no name is added to the scope of users."""
    told = run_graph(make_graph(user_class(), counted(1, iterations=1)))

    assert "pool" not in told.target.scopes[0]
