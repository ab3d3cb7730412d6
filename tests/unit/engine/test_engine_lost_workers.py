"""Workers that are silent for a while, and runs that go on without some of theirs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planrunner.engine import Ending
from planrunner.engine.coordinator.events import Noticed, Tick
from planrunner.engine.workers.presence.attendance import Tolerance
from planrunner.graph.data import DataNode, OnEnd, Order
from planrunner.graph.run_graph import ALL_USERS, BarrierNode, Block
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.record.hosts import slowest_words, workers_of_hosts
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    Answer,
    FakeTarget,
    Told,
    closed,
    counts,
    make_graph,
    pause,
    request,
    task,
    think,
    user_class,
)
from tests.support.loads import counted, open_phase, search
from tests.support.remote_pools import run_fleet

ONE = Tolerance(lost=1)


def notices(told: Told) -> list[str]:
    return [event.words for event in told.events if isinstance(event, Noticed)]


def test_silence_is_said_within_two_seconds_and_taken_back() -> None:
    """While it lasts the worker stands out; what it says afterwards counts, and only once."""
    graph = make_graph(user_class(wait=pause(1)), closed(4, 12))
    seen = []

    def look(event: object) -> None:
        if isinstance(event, Tick):
            seen.append([one.is_silent for one in event.insight.workers()])

    told = run_fleet(graph, 2, mute_at={3.1: 1}, speak_at={8.2: 1}, listener=look)

    silent, heard = notices(told)
    assert silent.startswith("worker 2 of 2 has said nothing for 2")
    assert heard.startswith("worker 2 of 2 is heard again, after 5.")
    assert [second for second, (_, two) in enumerate(seen, 1) if two] == [5, 6, 7, 8]
    assert told.outcome.ending is Ending.FINISHED
    assert counts(told.outcome, "request") == counts(run_fleet(graph, 2).outcome, "request")


@pytest.mark.parametrize("after", [1.6, 2.99])
def test_a_run_that_bears_it_goes_on_without_a_worker(tmp_path: Path, after: float) -> None:
    """What the lost one had reported counts once, in totals, samples and its own figures."""
    classes = (
        user_class(wait=pause(0.1), name="A", weight=2),
        user_class(wait=pause(0.1), name="B", weight=1),
    )
    phase = replace(closed(9, 6), classes=("A", "B"))
    graph = make_graph(classes, phase)
    path = tmp_path / "samples.bin"

    told = run_fleet(graph, 3, kill_at={after: 1}, samples=path, tolerance=ONE)

    outcome = told.outcome
    assert (outcome.ending, outcome.reason, outcome.invalid) == (Ending.FINISHED, "", ())
    assert notices(told) == [
        "worker 2 of 3 was killed; the run goes on with the load of the others"
    ]
    reader = SampleReader(path)
    rows = Counter(reader.workers[row.series] for row in reader)
    assert not reader.loss(is_over=True)
    figures = {worker.number: worker for _, worker in workers_of_hosts(outcome.hosts)}
    assert rows == {number: worker.requests for number, worker in figures.items()}
    assert rows.total() == counts(outcome, "kind")["request"]
    lost = figures[2]
    assert lost.lost_ns == int(after) * NS_PER_S
    assert {(one.user_class, one.missing, one.of) for one in lost.missing} == {
        ("A", 2, 6),
        ("B", 1, 3),
    }
    [reason] = (one for one in outcome.biased if "share" in one)
    assert reason.startswith(
        f"worker 2 of 3 was killed; its share of the load was missing from {int(after)}.0 s on "
        "(phase `main`: 2 of 6 users of `A`, 1 of 3 users of `B`)"
    )
    [times] = outcome.phases
    assert times.end_ns - times.begin_ns == 6 * NS_PER_S


def test_one_more_than_a_run_bears_is_its_end() -> None:
    """Both are named; the last one that is left is never borne."""
    graph = make_graph(user_class(wait=pause(0.1)), closed(6, 60, graceful_stop=1))

    two = run_fleet(graph, 3, kill_at={1.5: 1, 3.5: 0}, tolerance=ONE).outcome
    alone = run_fleet(graph, 2, kill_at={1.5: 1, 3.5: 0}, tolerance=Tolerance(lost=5)).outcome

    assert two.ending is alone.ending is Ending.CANNOT_RUN
    assert two.reason == (
        "worker 1 of 3 was killed; 2 of 3 workers are lost, and the run bears no more than 1"
    )
    assert two.ended_ns - two.started_ns < 5.6 * NS_PER_S
    assert two.invalid[0].startswith("worker 1 of 3 was killed")
    assert any(reason.startswith("worker 2 of 3 was killed") for reason in two.biased)


def test_a_worker_that_is_lost_before_any_load_is_not_borne() -> None:
    """Nothing would say how much of the load was there."""
    graph = make_graph(user_class(), closed(2, 5), setup=Block((think(2),)))

    outcome = run_fleet(graph, 2, kill_at={1.2: 1}, tolerance=ONE).outcome

    assert outcome.ending is Ending.CANNOT_RUN
    assert outcome.reason.endswith("no load had begun, so the run does not go on without it")


def test_what_was_over_when_a_worker_was_lost_stays_as_it_was() -> None:
    """A phase that it had ended, and the later ones that lack it from their begins."""
    slow = user_class(task("t", request(operation=Answer(delay_ns=300 * NS_PER_MS))))
    graph = make_graph(
        slow,
        counted(6, iterations=32, name="first"),
        open_phase(30, 4, name="then"),
        closed(3, 2, name="last"),
    )

    told = run_fleet(graph, 3, kill_at={3.3: 0}, tolerance=ONE)

    outcome, insight = told.outcome, told.ticks[-1].insight
    said = [doubt for doubt in insight.doubts() if "share" in doubt]
    whole = run_fleet(graph, 3).outcome
    first, then, last = outcome.phases
    assert first == whole.phases[0]
    assert counts(outcome, "phase")["first"] == 32
    begins = [one.begin_ns - outcome.started_ns for one in (then, last)]
    [lost] = [one for _, one in workers_of_hosts(outcome.hosts) if one.lost]
    assert [(one.phase, one.unit, one.missing, one.of) for one in lost.missing] == [
        ("then", "arrivals/s", 10, 30),
        ("last", "users", 1, 3),
    ]
    assert said == ["worker 1 of 3 was killed; its share of the load is missing"]
    assert begins[0] < lost.missing[0].from_ns == lost.lost_ns == 3 * NS_PER_S
    assert lost.missing[1].from_ns == begins[1]
    assert counts(outcome, "phase")["last"] < counts(whole, "phase")["last"]


@pytest.mark.parametrize("users", [ALL_USERS, 9], ids=["all", "nine"])
def test_nobody_waits_at_a_barrier_for_the_users_of_a_lost_worker(users: int) -> None:
    """Neither where they were nor in a phase that begins without them."""
    meeting = BarrierNode("meet", users, timeout_ns=0)
    program = user_class(task("t", think(0.1), meeting, request()))
    graph = make_graph(program, closed(9, 4), counted(9, per_user=5, name="then"))

    outcome = run_fleet(graph, 3, kill_at={1.55: 1}, tolerance=ONE).outcome

    assert outcome.ending is Ending.FINISHED
    assert counts(outcome, "phase")["then"] == 6 * 5
    assert counts(outcome, "phase")["main"] > 6 * 30
    assert outcome.counters.overtime.total() == 0


def test_rows_end_a_run_when_all_that_are_left_have_none() -> None:
    """One that had some left is gone, and the others had asked before."""
    target = FakeTarget()
    rows = DataNode(
        "rows",
        "list",
        ("n",),
        200,
        rows=tuple({"n": value} for value in range(200)),
        on_end=OnEnd.STOP_PLAN,
        order=Order.SEQUENTIAL,
        unique=True,
        per_user=False,
    )
    hasty = user_class(task("t", request()), data=("rows",))
    graph = make_graph(hasty, closed(2, 60), data=(rows,))

    outcome = run_fleet(
        graph, 2, mute_at={0.0: 1}, kill_at={5.0: 1}, target=target, tolerance=ONE
    ).outcome

    drawn: list[Any] = [scope["rows"]["n"] for scope in target.scopes]  # type: ignore[index]
    assert len(drawn) == len(set(drawn))
    assert (outcome.ending, outcome.reason) == (Ending.FINISHED, "no row of `rows` is left")
    assert 5 <= (outcome.ended_ns - outcome.started_ns) / NS_PER_S < 6


def test_a_search_finds_no_more_than_a_whole_generator_could_send() -> None:
    """A level without a worker's share is none; what held before is a lower limit."""
    graph = make_graph(
        user_class(task("t", request(operation=Answer(delay_ns=50 * NS_PER_MS)))),
        search("users", 3, 12, ["p95 < 100ms"], plus=3, hold=3),
    )

    outcome = run_fleet(graph, 3, kill_at={5.0: 2}, tolerance=ONE).outcome

    [found] = outcome.found
    assert (found.level, found.is_reached) == (3, False)
    assert "the generator was the limit at 6 users: worker 3 of 3 lost" in found.text


def test_hosts_say_how_their_workers_did() -> None:
    """All began together, and together they sent what was sent."""
    graph = make_graph(user_class(wait=pause(0.1)), closed(6, 3))

    outcome = run_fleet(graph, 3).outcome

    [host] = outcome.hosts
    assert (host.name, len(host.workers), host.first_arrival_ns) == ("here", 3, 0)
    assert host.requests == counts(outcome, "kind")["request"]
    assert host.most_users == 6
    assert slowest_words(outcome.hosts).startswith("worker 1 on here was the slowest: ")
