"""Whether workers of several hosts began together, and whether their clocks are known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from planrunner.engine.coordinator.validity import Doubts, doubts_of_clocks
from planrunner.engine.workers.presence.begins import BeginsApart, begins_apart
from planrunner.engine.workers.worker_state import ClockFacts, WorkerState
from planrunner.graph.run_graph import RunGraph
from planrunner.schedule.partition import WorkerShare
from planrunner.units import NS_PER_MS
from tests.support.graphs import FakeTarget, closed, make_graph, user_class
from tests.support.remote_pools import MemoryWorker, run_fleet

GRAPH: RunGraph = make_graph(user_class(), closed(2, 1))


def began(*workers: tuple[str, float, float]) -> Sequence[tuple[WorkerState, int]]:
    """Return what is known of workers: host, half a round trip, and begin, in ms."""
    found = []
    for number, (host, error, moment) in enumerate(workers):
        share = WorkerShare(number, len(workers))
        handle = MemoryWorker(number + 1, share, GRAPH, FakeTarget(), host)
        handle.clock = ClockFacts(0, round(error * NS_PER_MS))
        found.append((WorkerState(handle, number, 0), round(moment * NS_PER_MS)))
    return found


@pytest.mark.parametrize(
    ("workers", "apart"),
    [
        ([("a", 0, 10), ("a", 0, 90)], None),
        ([("a", 0, 10), ("b", 3, 15)], None),
        ([("a", 0, 10), ("b", 3, 15.5)], ("a", "b", 5.5, 5)),
        ([("b", 3, 15.5), ("a", 0, 10)], ("a", "b", 5.5, 5)),
        ([("a", 1, 10), ("b", 3, 15.9)], None),
        ([("a", 0, 10), ("b", 30, 30), ("c", 1, 20)], ("a", "c", 10, 3)),
        ([("a", 0, 10), ("b", 0, 11), ("a", 0, 14)], ("b", "a", 3, 2)),
    ],
    ids=["one host", "explained", "a begins", "b first", "both clocks", "worst", "a last one"],
)
def test_hosts_begin_together_as_far_as_their_clocks_say(
    workers: list[tuple[str, float, float]], apart: tuple[str, str, float, float] | None
) -> None:
    """Within 2 ms and half a round trip of each; workers of one host are only busy."""

    async def look() -> BeginsApart | None:
        return begins_apart(began(*workers))

    found = asyncio.run(look())

    told = found and (
        found.first,
        found.last,
        found.spread_ns / NS_PER_MS,
        found.limit_ns / NS_PER_MS,
    )
    assert told == apart


def test_a_clock_that_is_not_known_well_makes_a_run_biased() -> None:
    """And so do hosts that began apart; the first says where to look."""
    [host] = run_fleet(GRAPH, 2).outcome.hosts
    far = replace(host, name="far", clock_error_ns=51 * NS_PER_MS)
    near = replace(host, name="near", clock_error_ns=50 * NS_PER_MS)

    doubts = Doubts()
    doubts_of_clocks(doubts, [near, far], BeginsApart("near", "far", 130_000_000, 103_000_000))

    assert doubts.invalid == []
    clock, begin = doubts.biased
    assert clock.startswith("the clock of host `far` is known to ±51 ms only")
    assert begin.startswith(
        "hosts `near` and `far` began a phase 130 ms apart, more than the 103 ms"
    )


def test_hosts_have_their_own_workers() -> None:
    """In the order of their first ones."""

    def host_of(number: int) -> str:
        return "b" if number == 1 else "a"

    outcome = run_fleet(make_graph(user_class(), closed(6, 1)), 3, host_of=host_of).outcome

    hosts: list[Any] = [(one.name, [w.number for w in one.workers]) for one in outcome.hosts]
    assert hosts == [("a", [1, 3]), ("b", [2])]
    assert outcome.hosts[0].requests == sum(one.requests for one in outcome.hosts[0].workers)
