"""A phase that another tool runs: when its samples count, and what is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from planrunner.engine.stop import Ending
from planrunner.graph.loads import ToolLoad
from planrunner.graph.run_graph import PhaseNode
from planrunner.metrics.measures import SIZE
from planrunner.results.aggregate import make_rows
from planrunner.tools.contract import ToolSample
from planrunner.tools.tool_run import ToolEnd
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import Told, closed, make_graph, request, run_graph, task, user_class

WALL_NS = 1_700_000_000 * NS_PER_S


class SlowStarter:
    """Sends its first request after two seconds, and the last one of five after six."""

    users = 3
    lasted_ns = 0

    def __init__(self, *, failed: str = "") -> None:
        self._failed = failed
        self._stop = asyncio.Event()
        self.killed = False

    def wall_ns(self) -> int:
        return WALL_NS

    async def run(self, take: Callable[[Sequence[ToolSample]], None]) -> ToolEnd:
        for second in range(2, 7):
            try:
                await asyncio.wait_for(self._stop.wait(), 2 if second == 2 else 1)
                break
            except TimeoutError:
                start_ns = WALL_NS + second * NS_PER_S
                one = ToolSample(
                    "GET /a", start_ns, 500 * NS_PER_MS, status=200, user="S", received=9
                )
                take([one])
        unknown = ToolSample("GET /b", WALL_NS + 3 * NS_PER_S, failure="connect", count=2)
        take([unknown])
        ended = ToolEnd(1, self._failed, "", ("it has an opinion",), 0, 0, None, is_cut=False)
        return replace(ended, last_words="; it printed last:\n  ouch") if self._failed else ended

    def stop(self) -> None:
        self._stop.set()

    def kill(self) -> None:
        self.killed = True
        self._stop.set()


def told(phase: PhaseNode, starter: SlowStarter, *, hold: float = 1, **more: object) -> Told:
    user = user_class(task("t", request()))
    graph = replace(make_graph([user], closed(1, hold), phase), measures={"http": (SIZE,)})
    return run_graph(graph, tools=lambda _: starter, **more)  # type: ignore[arg-type]


def tool_phase(**more: object) -> PhaseNode:
    return PhaseNode("legacy", ToolLoad("k6", 60 * NS_PER_S), (), start_at_ns=0, **more)  # type: ignore[arg-type]


def measured_s(found: Told) -> list[tuple[float, float]]:
    start_ns = found.outcome.started_ns
    return [
        ((part.start_ns - start_ns) / NS_PER_S, round((part.end_ns - start_ns) / NS_PER_S, 6))
        for part in found.outcome.measured()
        if part.phase == "legacy"
    ]


def in_legacy(found: Told) -> dict[tuple[str, str, bool, bool], int]:
    return {
        (labels.request, labels.failure, labels.warmup, labels.timed): total.count
        for labels, total in found.outcome.total.totals.items()
        if labels.phase == "legacy"
    }


def test_measured_time_is_that_of_its_requests() -> None:
    """The two seconds that it takes to start are not part of it; unknown times are no latency."""
    found = told(tool_phase(), SlowStarter())

    assert measured_s(found) == [(2.0, 6.5)]
    assert in_legacy(found) == {
        ("GET /a", "", False, True): 5,
        ("GET /b", "connect", False, False): 2,
    }
    assert "phase `legacy`: it has an opinion" in found.outcome.notices
    assert [load.phase for load in found.outcome.loads] == ["main"]


def test_a_warm_up_counts_from_the_start_of_the_phase() -> None:
    found = told(tool_phase(warmup_ns=3 * NS_PER_S + NS_PER_S // 2), SlowStarter())

    assert measured_s(found) == [(3.5, 6.5)]
    assert in_legacy(found) == {
        ("GET /a", "", True, True): 2,
        ("GET /a", "", False, True): 3,
        ("GET /b", "connect", True, False): 2,
    }


def test_a_tool_that_fails_ends_the_run() -> None:
    """What it had sent by then counts, and what it printed last is told once."""
    found = told(tool_phase(), SlowStarter(failed="k6 fell"), hold=60)

    outcome = found.outcome
    assert (outcome.ending, outcome.reason) == (Ending.CANNOT_RUN, "phase `legacy`: k6 fell")
    assert "phase `legacy`: k6 fell; it printed last:\n  ouch" in outcome.biased
    assert measured_s(found) == [(2.0, 6.5)]


def test_the_end_of_the_run_stops_it() -> None:
    """It is asked to end, and not killed for that."""
    starter = SlowStarter()

    found = told(tool_phase(), starter, stop_at={3.5: "enough"})

    assert in_legacy(found)["GET /a", "", False, True] == 2
    assert not starter.killed


def test_what_a_tool_does_not_tell_has_no_data() -> None:
    """Neither 0 bytes nor a service time that is the latency; sizes that it tells are judged."""
    totals = {
        labels.request: (labels.unknown, total)
        for labels, total in told(tool_phase(), SlowStarter()).outcome.total.totals.items()
        if labels.phase == "legacy"
    }

    unknown, total = totals["GET /a"]
    assert unknown == ("connects", "sent", "service_time")
    assert (total.received, total.measures["size"].max) == (45, 9)
    assert totals["GET /b"][0] == ("connects", "received", "sent")


def test_checks_are_counted_apart_from_requests() -> None:
    """They have a share that held, in the second when they were looked at, and nothing else."""

    class Checking(SlowStarter):
        async def run(self, take: Callable[[Sequence[ToolSample]], None]) -> ToolEnd:
            at_ns = WALL_NS + 2 * NS_PER_S
            for held, times in ((True, 3), (False, 2)):
                failure = "" if held else "expect"
                take([ToolSample("fine", at_ns, failure=failure, count=times, kind="check")])
            return await super().run(take)

    found = told(tool_phase(), Checking())

    [(labels, total)] = [
        pair for pair in found.outcome.total.totals.items() if pair[0].kind == "check"
    ]
    assert (labels.request, labels.expectations, labels.failure) == ("fine", 1, "")
    assert (total.count, total.broken) == (5, {("fine", True): 2})
    assert measured_s(found) == [(2.0, 6.5)]
    assert "fine" not in {row.name for row in make_rows(found.outcome.total, ())}
