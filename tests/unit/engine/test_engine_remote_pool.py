"""Several workers do together what one does, and what becomes of a run that loses one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from planrunner.engine import Ending, RunOutcome
from planrunner.engine.workers.remote_pool import lead_ns
from planrunner.engine.workers.worker_state import ClockFacts
from planrunner.errors import CannotRun
from planrunner.graph.data import DataNode, OnEnd, Order
from planrunner.graph.run_graph import (
    Block,
    ClosedLoad,
    OnFail,
    RunGraph,
    SetNode,
    StopNode,
    StopWhat,
)
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.verdict import Verdict
from planrunner.protocols.base import Scope
from planrunner.results.files.sample_reader import SampleReader
from planrunner.schedule.partition import WorkerShare
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    Answer,
    FakeTarget,
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
from tests.support.loads import counted, open_phase, per_second, search
from tests.support.remote_pools import MemoryWorker, run_fleet

TWO_CLASSES = (user_class(name="A", weight=3), user_class(name="B"))
WORKERS = pytest.mark.parametrize(
    ("workers", "hosts"), [(2, 0), (3, 0), (3, 2)], ids=["two", "three", "cluster"]
)
PLACES = pytest.mark.parametrize("hosts", [0, 2], ids=["processes", "cluster"])
SLOW_PLACES = pytest.mark.parametrize(
    "hosts", [0, pytest.param(2, marks=pytest.mark.slow)], ids=["processes", "cluster"]
)


def latencies(outcome: RunOutcome) -> Histogram:
    merged = Histogram()
    for labels, total in outcome.total.totals.items():
        if labels.kind == "request":
            merged.merge(total.latency)
    return merged


def placeless(words: str) -> str:
    """Return what is said of a worker, wherever it is."""
    return re.sub(r" on host\d", "", words)


@WORKERS
@pytest.mark.parametrize(
    "graph",
    [
        make_graph(TWO_CLASSES, closed(10, 3, ramp_up=1, classes=("A", "B"))),
        make_graph(TWO_CLASSES, counted(7, iterations=1001, classes=("A", "B"))),
        make_graph(TWO_CLASSES, counted(7, per_user=11, classes=("A", "B"))),
        make_graph(TWO_CLASSES, open_phase(333, 3, classes=("A", "B"))),
        make_graph(TWO_CLASSES, open_phase(333, 3, classes=("A", "B"), arrivals="poisson")),
        make_graph(TWO_CLASSES, open_phase({"A": 100, "B": 31}, 3)),
        make_graph(
            (user_class(pace_ns=300 * NS_PER_MS),),
            closed(9, 3, ramp_up=1.5),
            closed(2, 1, name="then"),
        ),
    ],
    ids=["closed", "iterations", "per user", "open", "poisson", "exact rates", "pace"],
)
def test_totals_are_those_of_one_worker(graph: RunGraph, workers: int, hosts: int) -> None:
    """To the sample, class by class, and with the same latencies."""
    alone, together = run_graph(graph).outcome, run_fleet(graph, workers, hosts=hosts).outcome

    assert counts(together, "request", "user", "phase") == counts(alone, "request", "user", "phase")
    parts = (latencies(together), latencies(alone))
    if hosts:  # whose clocks go a little faster or slower than time
        mine, theirs = ([one.percentile(at) for at in (1, 50, 99)] for one in parts)
        assert mine == pytest.approx(theirs, rel=0.01)
    else:
        assert parts[0] == parts[1]
    assert together.counters.picks == alone.counters.picks
    assert together.workers == workers


@PLACES
@pytest.mark.parametrize("total", [1, 2, 7, 1000])
def test_shared_iterations_are_exact(total: int, hosts: int) -> None:
    """A thousand iterations on three workers are a thousand; fewer than users too."""
    graph = make_graph(user_class(), counted(7, iterations=total))

    assert run_fleet(graph, 3, hosts=hosts).target.requests == total


@WORKERS
def test_users_have_the_streams_that_they_have_on_one_worker(workers: int, hosts: int) -> None:
    """What is drawn is the same, whoever draws it."""

    def drawing(seen: list[object]) -> RunGraph:
        def answer(scope: Scope) -> Answer:
            rand: Any = scope["rand"]
            seen.append(rand.int(0, 10**9))
            return Answer()

        steps = task("t", request(operation=answer))
        stages = closed(6, 2, ramp_up=1)
        classes = (user_class(steps, name="A", weight=2), user_class(steps, name="B"))
        return make_graph(classes, replace(stages, classes=("A", "B")))

    alone: list[object] = []
    together: list[object] = []
    run_graph(drawing(alone))
    run_fleet(drawing(together), workers, hosts=hosts)

    few = 6 if hosts else 0  # whose last draw comes a little before the end, or after it
    assert len(set(alone) ^ set(together)) <= few
    assert len(set(together)) == len(together)


@WORKERS
def test_numbers_of_iterations_and_users_are_unique(workers: int, hosts: int) -> None:
    """Those of a counted phase have no gaps either."""
    target = FakeTarget()
    program = user_class(task("t", request()), uses_iteration=True)
    run_fleet(make_graph(program, counted(5, iterations=100)), workers, hosts=hosts, target=target)

    assert sorted(scope["iteration"] for scope in target.scopes) == list(range(100))  # type: ignore[type-var]
    users = {(scope["user"]["id"]) for scope in target.scopes}  # type: ignore[index]
    assert len(users) == 5


@WORKERS
@pytest.mark.parametrize("phase", [closed(5, 1), open_phase(50, 1)], ids=["closed", "open"])
def test_numbers_are_unique_where_they_have_gaps(phase: Any, workers: int, hosts: int) -> None:
    """Nobody knows how many iterations the others have begun."""
    target = FakeTarget()
    program = user_class(task("t", request()), uses_iteration=True)

    run_fleet(make_graph(program, phase), workers, hosts=hosts, target=target)

    numbers = [scope["iteration"] for scope in target.scopes]
    assert len(numbers) == len(set(numbers)) >= 50


@WORKERS
def test_a_throttle_holds_for_all_together(workers: int, hosts: int) -> None:
    """100/s in ten seconds are a thousand requests, whoever sends them."""
    phase = closed(7, 10)
    assert isinstance(phase.load, ClosedLoad)
    phase = replace(phase, load=replace(phase.load, throttle=per_second(100)))

    sent = run_fleet(make_graph(user_class(), phase), workers, hosts=hosts).target.requests

    assert 1000 <= sent <= 1000 + 2 * workers


def rows(number: int, **more: Any) -> DataNode:
    made = tuple({"n": value} for value in range(number))
    given = {"on_end": OnEnd.CYCLE, "order": Order.SEQUENTIAL, "unique": False, **more}
    return DataNode("rows", "list", ("n",), number, rows=made, **given)


@WORKERS
def test_unique_rows_stay_unique(workers: int, hosts: int) -> None:
    """Each row once a run, and all of them; the run ends when the last worker has no more."""
    target = FakeTarget()
    node = rows(200, per_user=False, unique=True, on_end=OnEnd.STOP_PLAN)
    program = user_class(task("t", request()), data=("rows",))
    outcome = run_fleet(
        make_graph(program, closed(5, 60), data=(node,)), workers, hosts=hosts, target=target
    ).outcome

    assert sorted(scope["rows"]["n"] for scope in target.scopes) == list(range(200))  # type: ignore[index]
    assert (outcome.ending, outcome.reason) == (
        Ending.FINISHED,
        "no row of `rows` is left",
    )


@WORKERS
def test_as_many_rows_as_users_are_enough(workers: int, hosts: int) -> None:
    """Rows that users hold are shared out like the users."""
    target = FakeTarget()
    node = rows(7, per_user=True, unique=True, on_end=OnEnd.ERROR)
    program = user_class(task("t", request()), data=("rows",))
    outcome = run_fleet(
        make_graph(program, closed(7, 1), data=(node,)), workers, hosts=hosts, target=target
    ).outcome

    held = {(scope["user"]["id"], scope["rows"]["n"]) for scope in target.scopes}  # type: ignore[index]
    assert outcome.ending is Ending.FINISHED
    assert len(held) == len({row for _, row in held}) == 7


def test_more_workers_than_users_change_nothing() -> None:
    """Some of them have nothing to do."""
    graph = make_graph(user_class(), closed(2, 1), counted(2, iterations=10, name="c"))

    together = run_fleet(graph, 5).outcome

    assert counts(together, "phase") == counts(run_graph(graph).outcome, "phase")


@PLACES
def test_fewer_places_than_workers_drop_no_arrival(hosts: int) -> None:
    """A worker that may have no user gets no arrival."""
    graph = make_graph(user_class(), open_phase(10, 3, max_users=1))

    outcome = run_fleet(graph, 3, hosts=hosts).outcome

    assert counts(outcome, "request") == {"GET /": 30}
    assert sum(one.dropped for one in outcome.evidence.arrivals) == 0


@pytest.mark.slow
@WORKERS
def test_a_search_tries_the_same_levels(workers: int, hosts: int) -> None:
    """And is judged by the samples of all workers."""

    def answer(target: FakeTarget) -> Answer:
        return Answer(delay_ns=(10 if target.waiting <= 25 else 900) * NS_PER_MS)

    def finds(run: Any, *size: int) -> Sequence[Any]:
        target = FakeTarget()
        program = user_class(task("t", request(operation=lambda _: answer(target))))
        phase = search("users", 10, 60, ["p95 < 100ms"], plus=10, hold=3)
        outcome: RunOutcome = run(make_graph(program, phase), *size, target=target).outcome
        assert [found.text for found in outcome.found]
        return [(step.level, step.held) for step in outcome.steps], outcome.found[0].level

    assert finds(partial(run_fleet, hosts=hosts), workers) == finds(run_graph)


def test_all_workers_begin_at_one_instant() -> None:
    """In virtual time the spread is nothing."""
    outcome = run_fleet(make_graph(user_class(), closed(6, 1)), 3).outcome

    assert (outcome.workers, outcome.start_spread_ns) == (3, 0)


@PLACES
def test_each_second_shows_all_workers(hosts: int) -> None:
    """Users and requests of a tick are sums."""
    graph = make_graph(user_class(wait=pause(0.1)), closed(6, 4))

    alone, together = run_graph(graph).ticks, run_fleet(graph, 3, hosts=hosts).ticks

    assert [tick.snapshot.users for tick in together][:4] == [{"Visitor": 6}] * 4
    whole = [sum(delta.count for delta in tick.snapshot.deltas.values()) for tick in alone[1:3]]
    mine = [sum(delta.count for delta in tick.snapshot.deltas.values()) for tick in together[1:3]]
    assert mine == pytest.approx(whole, abs=12)


@PLACES
def test_stop_phase_on_one_worker_ends_it_on_all(hosts: int) -> None:
    """The next phase still runs."""
    phase_stop = StopNode(StopWhat.PHASE)
    breaking = user_class(task("t", request(), phase_stop), name="B", count=1)
    graph = make_graph(
        (user_class(wait=pause(0.5)), breaking),
        closed(4, 60, classes=("Visitor", "B"), name="first"),
        closed(3, 1, name="second"),
    )

    outcome = run_fleet(graph, 3, hosts=hosts).outcome

    first, second = outcome.phases
    assert (first.end_ns - first.begin_ns) < NS_PER_S
    assert (second.end_ns - second.begin_ns) == NS_PER_S
    assert outcome.ending is Ending.FINISHED


@PLACES
def test_stop_plan_on_one_worker_ends_the_run(hosts: int) -> None:
    """As a plan that has finished."""
    breaking = user_class(task("t", request(), StopNode(StopWhat.PLAN)), name="B", count=1)
    graph = make_graph(
        (user_class(wait=pause(0.5)), breaking), closed(4, 60, classes=("Visitor", "B"))
    )

    outcome = run_fleet(graph, 3, hosts=hosts).outcome

    assert outcome.ending is Ending.FINISHED
    assert outcome.ended_ns - outcome.started_ns < 2 * NS_PER_S


def test_the_run_goes_on_while_any_worker_has_users() -> None:
    """One worker's users that all failed to start are no reason to stop."""
    failing = user_class(
        name="B",
        count=1,
        on_start=(request("GET /login", Answer(status=500)),),
        on_start_fail=OnFail.STOP_USER,
    )
    graph = make_graph((failing, user_class()), closed(3, 2, classes=("B", "Visitor")))

    outcome = run_fleet(graph, 3).outcome

    assert outcome.ending is Ending.FINISHED
    assert outcome.counters.start_failures == {("main", "B"): 1}


def test_the_run_ends_when_no_worker_has_a_user_left() -> None:
    """As with one worker: exit 3, and why."""
    failing = user_class(on_start=(request("GET /login", Answer(status=500)),))
    graph = make_graph(failing, closed(5, 60))

    outcome = run_fleet(graph, 3).outcome

    assert outcome.ending is Ending.CANNOT_RUN
    assert outcome.reason == run_graph(graph).outcome.reason
    assert outcome.reason == (
        "no user of phase `main` is left: every `on_start` failed, one because "
        "`GET /login` failed: status 500"
    )
    assert outcome.ended_ns - outcome.started_ns < 2 * NS_PER_S


def test_an_on_start_that_stops_the_plan_says_why() -> None:
    """Whichever worker it was on."""
    failing = user_class(
        name="B",
        count=1,
        on_start=(request("GET /login", Answer(status=500)),),
        on_start_fail=OnFail.STOP_PLAN,
    )
    graph = make_graph((user_class(), failing), closed(4, 60, classes=("Visitor", "B")))

    outcome = run_fleet(graph, 3).outcome

    assert (outcome.ending, outcome.reason) == (
        Ending.CANNOT_RUN,
        "`on_start` of a user `B` failed: `GET /login` failed: status 500",
    )


def test_what_setup_sets_is_known_to_all_users() -> None:
    """It ran once, in the coordinator."""
    target = FakeTarget()
    setup = Block((SetNode((("token", lambda _: "t1"),)),), names=("token",))
    graph = make_graph(user_class(), closed(4, 1), setup=setup)

    run_fleet(graph, 2, target=target)

    assert {scope["token"] for scope in target.scopes} == {"t1"}


@PLACES
@pytest.mark.parametrize("after", [1.5, 3.0])
def test_a_lost_worker_ends_the_run_and_is_named(after: float, hosts: int) -> None:
    """Within two seconds; what the others did, and it until then, is in the result."""
    graph = make_graph(user_class(wait=pause(0.1)), closed(6, 60, graceful_stop=1))

    told = run_fleet(graph, 3, hosts=hosts, kill_at={after: 1})

    outcome = told.outcome
    assert outcome.ending is Ending.CANNOT_RUN
    assert placeless(outcome.reason) == "worker 2 of 3 was killed"
    assert outcome.ended_ns - outcome.started_ns < (after + 2) * NS_PER_S
    assert counts(outcome, "request")["GET /"] > 40
    [phase] = outcome.phases
    assert phase.end_ns <= phase.gone_ns <= outcome.ended_ns  # so that rates are right


@PLACES
@pytest.mark.parametrize("after", [1.1, 1.6, 2.99])
def test_samples_of_a_lost_worker_are_those_that_it_has_reported(
    tmp_path: Path, after: float, hosts: int
) -> None:
    """It wrote more, which is in no number of the result, so it is in no report."""
    graph = make_graph(user_class(wait=pause(0.01)), closed(6, 60, graceful_stop=1))
    path = tmp_path / "samples.bin"

    outcome = run_fleet(graph, 3, hosts=hosts, kill_at={after: 1}, samples=path).outcome

    reader = SampleReader(path)
    rows = Counter(reader.labels[row.series] for row in reader)
    assert rows == {
        labels: total.count
        for labels, total in outcome.total.totals.items()
        if labels.kind == "request"
    }
    assert not reader.loss(is_over=True)
    [reason] = outcome.invalid
    words = "worker 2 of 3 was killed; its share of the load was missing"
    assert placeless(reason).startswith(words)


@PLACES
def test_losing_all_workers_is_the_end(hosts: int) -> None:
    """Nobody is left to wait for."""
    graph = make_graph(user_class(wait=pause(0.1)), closed(6, 60))

    outcome = run_fleet(graph, 2, hosts=hosts, kill_at={1.25: 0, 1.5: 1}).outcome

    assert placeless(outcome.reason) == "worker 1 of 2 was killed"
    assert outcome.ended_ns - outcome.started_ns < 2 * NS_PER_S
    assert outcome.phases[0].end_ns <= outcome.ended_ns


@SLOW_PLACES
def test_a_worker_that_says_nothing_for_a_minute_is_killed(hosts: int) -> None:
    """It may be stopped, or a hook may never return."""
    graph = make_graph(user_class(wait=pause(1)), closed(2, 600, graceful_stop=1))

    outcome = run_fleet(graph, 2, hosts=hosts, mute_at={3: 1}).outcome

    assert outcome.ending is Ending.CANNOT_RUN
    assert placeless(outcome.reason) == "worker 2 of 2 was silent for 60 s and was killed"
    assert 60 < (outcome.ended_ns - outcome.started_ns) / NS_PER_S < 68


@PLACES
def test_a_worker_that_hangs_when_its_load_is_over_is_not_waited_for_as_long(hosts: int) -> None:
    """After the graceful stop it gets some seconds: the run ends, and is invalid."""
    graph = make_graph(user_class(wait=pause(1)), closed(2, 10, graceful_stop=2))

    outcome = run_fleet(graph, 2, hosts=hosts, mute_at={3: 1}).outcome

    assert (
        placeless(outcome.reason)
        == "worker 2 of 2 was silent for 5 s when its load was over and was killed"
    )
    assert 10 + 2 + 5 < (outcome.ended_ns - outcome.started_ns) / NS_PER_S < 10 + 2 + 8
    [reason] = outcome.invalid
    assert reason.startswith(outcome.reason)


@PLACES
def test_a_worker_that_hangs_is_killed_when_all_has_to_end_at_once(hosts: int) -> None:
    """The second Ctrl-C doesn't wait for it, nor for its graceful stop; the others are whole."""
    graph = make_graph(user_class(wait=pause(1)), closed(2, 600, graceful_stop=30))

    told = run_fleet(graph, 2, hosts=hosts, mute_at={3: 1}, stop_at={4: "enough", 4.5: "now"})

    outcome = told.outcome
    assert (outcome.ending, outcome.reason) == (Ending.INTERRUPTED, "enough")
    assert (outcome.ended_ns - outcome.started_ns) / NS_PER_S < 5
    [reason] = outcome.invalid
    assert "did not answer when the run had to end at once and was killed" in reason


@PLACES
def test_what_setup_sets_must_be_sendable(hosts: int) -> None:
    """Said in words, with what to do."""
    setup = Block((SetNode((("token", lambda _: lambda: 1),)),), names=("token",))

    with pytest.raises(CannotRun, match="a value that `setup` made can't be sent") as raised:
        run_fleet(make_graph(user_class(), closed(1, 1), setup=setup), 2, hosts=hosts)

    assert "--workers 1" in raised.value.hint


@PLACES
def test_a_worker_with_another_plan_is_refused(hosts: int) -> None:
    """Before anything is sent."""
    target = FakeTarget()
    graph = make_graph(user_class(), closed(1, 1))
    other = make_graph(user_class(), closed(2, 1))

    with pytest.raises(CannotRun, match=r"worker 1 of 2( on host0)? has compiled a different plan"):
        run_fleet(graph, 2, hosts=hosts, target=target, theirs=other)

    assert target.requests == 0


@SLOW_PLACES
def test_the_run_can_be_stopped(hosts: int) -> None:
    """Gracefully, and then at once."""
    slow = user_class(task("t", request(operation=Answer(delay_ns=20 * NS_PER_S))))
    graph = make_graph(slow, closed(6, 600))

    once = run_fleet(graph, 2, hosts=hosts, stop_at={2: "interrupted"}).outcome
    twice = run_fleet(graph, 2, hosts=hosts, stop_at={2: "interrupted", 3: "again"}).outcome

    assert 20 < (once.ended_ns - once.started_ns) / NS_PER_S < 21
    assert (twice.ended_ns - twice.started_ns) / NS_PER_S < 3.5
    assert once.ending is twice.ending is Ending.INTERRUPTED


@SLOW_PLACES
@pytest.mark.parametrize("sentence", ["p95 over 5s < 100ms, abort", "p95 < 100ms, abort after 5s"])
@pytest.mark.parametrize("setup", [0.0, 0.35, 0.8])
@pytest.mark.parametrize(("mute_at", "most"), [({}, 5.21), ({2.0: 1}, 6)])
def test_an_abort_comes_as_its_window_ends(
    sentence: str, setup: float, mute_at: dict[float, int], most: float, hosts: int
) -> None:
    """Judged over what all workers have sent, or all but one that is late; wherever seconds end."""
    graph = make_graph(
        user_class(task("t", request(operation=Answer(delay_ns=200 * NS_PER_MS)))),
        closed(6, 600),
        thresholds=[sentence],
        setup=Block((think(setup),)),
    )

    outcome = run_fleet(graph, 3, hosts=hosts, mute_at=mute_at).outcome

    assert outcome.ending is Ending.ABORTED
    assert 5 <= (outcome.phases[0].end_ns - outcome.phases[0].begin_ns) / NS_PER_S < most
    [gate] = outcome.gates
    assert gate.judge(outcome.evidence).verdict is Verdict.FAIL


@PLACES
def test_phases_side_by_side_keep_their_offsets(hosts: int) -> None:
    """`start_at` counts from the first phase's begin on all workers."""
    graph = make_graph(user_class(), closed(2, 4, name="a"), closed(2, 1, name="b", start_at=2))

    first, second = sorted(
        run_fleet(graph, 2, hosts=hosts).outcome.phases, key=lambda one: one.name
    )

    assert second.begin_ns - first.begin_ns == 2 * NS_PER_S


@PLACES
def test_coordinated_samples_can_be_read_as_one_file(tmp_path: Path, hosts: int) -> None:
    """Each worker writes its own; in order of time they are one."""
    path = tmp_path / "samples.bin"
    graph = make_graph(TWO_CLASSES, closed(6, 2, classes=("A", "B")))

    outcome = run_fleet(graph, 3, hosts=hosts, samples=path).outcome

    reader = SampleReader(path)
    read = list(reader)
    ends = [row.start_ns + row.latency_ns for row in read]
    assert ends == sorted(ends)
    found = Counter(reader.labels[row.series].user for row in read)
    assert found == counts(outcome, "user")


def test_a_phase_is_announced_earlier_to_hosts_that_are_far() -> None:
    """Twice the round trip to the one that is farthest, whose clock is known to half of that."""
    graph = make_graph(user_class(), closed(5, 1))
    near = MemoryWorker(1, WorkerShare(0, 2), graph, FakeTarget())
    far = MemoryWorker(2, WorkerShare(1, 2), graph, FakeTarget(), host="far")
    far.clock = ClockFacts(7, 100 * NS_PER_MS)

    assert lead_ns(graph, [near, far]) == lead_ns(graph, [near]) + 400 * NS_PER_MS
