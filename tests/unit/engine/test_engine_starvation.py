"""A generator that waits for its processor is told from a slow target."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from planrunner.engine.coordinator.validity import Doubts, doubts_of_starvation
from planrunner.engine.recording.counters import Counters
from planrunner.engine.recording.generator_health import Health, HealthProbe
from planrunner.engine.recording.starvation import Starvation
from planrunner.engine.steps.step_services import LogSink
from planrunner.engine.workers.local import Drained
from planrunner.engine.workers.merge import health_of, merge_drained
from planrunner.graph.run_graph import RequestNode
from planrunner.metrics.snapshot import Snapshot
from planrunner.timing.run_queue import RunQueue, Waits
from planrunner.units import NS_PER_MS, NS_PER_S, NS_PER_US
from tests.support.graphs import closed, make_graph, request, run_graph, task, user_class

PRESSURE = "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500\nfull avg10=0.00 total=7\n"
STAT = "cpu 9 0 9 9 0 0 0 40 0 0\ncpu0 5 0 5 5 0 0 0 30 0 0\ncpu1 4 0 4 4 0 0 0 10 0 0\nintr 1\n"


def machine(folder: Path, **files: str) -> RunQueue:
    """Return what reads a machine that has only these files."""
    for name, text in files.items():
        (folder / name).write_text(text)
    return RunQueue(folder / "schedstat", (folder / "pressure",), folder / "stat")


def of_seconds(*seconds: tuple[Waits | None, int, float], length_ns: int = NS_PER_S) -> Starvation:
    found = Starvation()
    for waits, requests, mean_ns in seconds:
        found.add(waits, length_ns, requests, requests * mean_ns)
    return found


def level(found: Starvation) -> str:
    doubt = found.doubt()
    return "valid" if doubt is None else "invalid" if doubt[1] else "biased"


# -- what the system knows -----------------------------------------------------------------


def test_waits_are_those_of_the_thread(tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    with closing(machine(tmp_path, schedstat="5000 2500 12\n", stat=STAT)) as queue:
        assert queue.read() == Waits(2500, 12, 20 * NS_PER_S // ticks)
        (tmp_path / "schedstat").write_text("6000 2700 15\n")
        assert queue.read().since(Waits(2500, 12, 0)) == Waits(200, 3, 20 * NS_PER_S // ticks)


@pytest.mark.parametrize("schedstat", ["", "0 0 0\n", "garbage\n", "1 2\n"])
def test_pressure_stands_in_where_the_kernel_counts_no_waits(
    tmp_path: Path, schedstat: str
) -> None:
    with closing(machine(tmp_path, schedstat=schedstat, pressure=PRESSURE)) as queue:
        assert queue.read() == Waits(1500 * NS_PER_US, 0, 0)


def test_a_system_that_knows_nothing_says_so(tmp_path: Path) -> None:
    with closing(machine(tmp_path)) as queue:
        waits = queue.read().since(queue.read())

    found = of_seconds((waits, 100, NS_PER_MS))

    assert waits == Waits(None, 0, 0)
    assert level(found) == "valid"
    assert "nothing distinguishes a starved generator from a slow target" in found.unknown()
    assert not of_seconds((Waits(0, 1, 0), 1, 1.0)).unknown()
    assert not of_seconds((None, 1, 1.0)).unknown()  # nobody asked


@pytest.mark.skipif(not Path("/proc/thread-self/schedstat").exists(), reason="of Linux alone")
def test_a_thread_that_shares_its_processor_waits_for_it() -> None:
    """Against a burner on the same processor, for a second; the kernel does the counting."""
    stop = threading.Event()
    found: list[Waits] = []

    def burn() -> None:
        os.sched_setaffinity(0, {processor})
        while not stop.is_set():
            sha256(block)  # without the interpreter's lock, or threads would wait for that

    def measure() -> None:
        os.sched_setaffinity(0, {processor})
        with closing(RunQueue()) as queue:
            before = queue.read()
            for _ in range(200):
                stop.wait(0.001)
            found.append(queue.read().since(before))

    block = bytes(1_000_000)
    processor = min(os.sched_getaffinity(0))
    rival = threading.Thread(target=burn)
    rival.start()
    measured = threading.Thread(target=measure)
    measured.start()
    measured.join()
    stop.set()
    rival.join()

    (waits,) = found
    assert waits.turns >= 100
    assert waits.waited_ns is not None
    assert waits.waited_ns > 0


# -- what follows from it ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waited_ms", "turns", "requests", "mean_ns", "verdict"),
    [
        # Many requests in flight: what counts is the share of the time.
        (1, 9_000, 50_000, 34 * NS_PER_US, "valid"),
        (29, 9_000, 50_000, 34 * NS_PER_US, "valid"),
        (31, 9_000, 50_000, 34 * NS_PER_US, "biased"),
        (249, 9_000, 50_000, 34 * NS_PER_US, "biased"),
        (251, 9_000, 50_000, 34 * NS_PER_US, "invalid"),
        # Few: what counts is how long each had to wait, beside its latency.
        (17, 188, 190, 185 * NS_PER_US, "biased"),
        (17, 188, 190, 950 * NS_PER_US, "valid"),
        (9, 190, 190, 500 * NS_PER_US, "valid"),  # 47 us a turn: what waking costs
        (19, 188, 190, 185 * NS_PER_US, "invalid"),
    ],
)
def test_waits_are_judged_beside_the_latencies(
    waited_ms: int, turns: int, requests: int, mean_ns: int, verdict: str
) -> None:
    """As measured: two, 64 and 1,000 users beside a burner on the generator's processor."""
    waits = Waits(waited_ms * NS_PER_MS, turns, 0)

    assert level(of_seconds((waits, requests, mean_ns))) == verdict


def test_waits_of_seconds_without_requests_bias_nothing() -> None:
    starved, quiet = Waits(900 * NS_PER_MS, 50, 0), Waits(NS_PER_MS, 900, 0)

    found = of_seconds((starved, 0, 0), (quiet, 1_000, NS_PER_MS))

    assert level(found) == "valid"
    assert found.wait_share == 0.9


def test_each_second_weighs_as_many_requests_as_it_had() -> None:
    starved, quiet = Waits(100 * NS_PER_MS, 5_000, 0), Waits(0, 5_000, 0)

    assert level(of_seconds((starved, 100, NS_PER_MS), (quiet, 900, NS_PER_MS))) == "valid"
    assert level(of_seconds((starved, 900, NS_PER_MS), (quiet, 100, NS_PER_MS))) == "biased"


def test_what_the_hypervisor_takes_is_a_wait_too() -> None:
    found = of_seconds((Waits(0, 9_000, 40 * NS_PER_MS), 5_000, NS_PER_MS))

    doubt = found.doubt()

    assert doubt is not None
    assert doubt[0].startswith(
        "the generator was ready to run for 4.0% of the time (4.0% of it taken by the hypervisor)"
    )


def test_reasons_say_what_to_do() -> None:
    many = of_seconds((Waits(180 * NS_PER_MS, 102, 0), 71_000, 470 * NS_PER_US)).doubt()
    few = of_seconds((Waits(17 * NS_PER_MS, 188, 0), 190, 185 * NS_PER_US)).doubt()

    assert many == (
        "the generator was ready to run for 18.0% of the time while other work had its processor: "
        "latencies include the wait; free the generator's host, or keep other work off its "
        "processors",
        False,
    )
    assert few == (
        "the generator waited 90.4 us for its processor before it could read a reply, which is 49% "
        "of the mean latency: latencies include the wait; free the generator's host, or keep other "
        "work off its processors",
        False,
    )


# -- from workers to the verdict -----------------------------------------------------------


def drained(waits: Waits | None, start_ns: int = 0) -> Drained:
    return Drained(
        Snapshot(start_ns, start_ns + NS_PER_S),
        Counters(),
        Health(0, 0.5, waits=waits),
        LogSink((), 0),
    )


def test_intervals_add_up_and_the_worst_worker_counts() -> None:
    parts = [drained(Waits(5, 1, 1)), drained(Waits(7, 2, 1), NS_PER_S)]
    other = [drained(Waits(90, 3, 0)), drained(Waits(9, 4, 0), NS_PER_S)]

    both = merge_drained(drained(None), [(parts, {}), (other, {})], counters=Counters(), start_ns=0)

    assert health_of(parts).waits == Waits(12, 3, 2)
    assert both.health.waits == Waits(99, 7, 0)


def test_the_probe_reports_what_is_new() -> None:
    totals = iter([Waits(100, 5, 7), Waits(130, 9, 7), Waits(None, 0, 7)])
    with closing(HealthProbe(0, waits=lambda: next(totals))) as probe:
        assert probe.read(NS_PER_S).waits == Waits(30, 4, 0)
        assert probe.read(2 * NS_PER_S).waits == Waits(None, -9, 0)


def waiting(waited_ms: int) -> Callable[[], Waits]:
    """Return what says that the generator waits so long in each second."""
    read = itertools.count()

    def waits() -> Waits:
        second = next(read)
        return Waits(second * waited_ms * NS_PER_MS, second * 1_000, 0)

    return waits


@pytest.mark.parametrize(
    ("waited_ms", "verdict"), [(0, "valid"), (100, "biased"), (600, "invalid")]
)
def test_a_run_beside_a_burner_is_not_valid(waited_ms: int, verdict: str) -> None:
    graph = make_graph([user_class()], closed(2, 10))
    outcome = run_graph(graph, waits=waiting(waited_ms)).outcome

    found = "invalid" if outcome.invalid else "biased" if outcome.biased else "valid"
    assert found == verdict
    share = outcome.health.facts().wait_share
    assert share is not None
    assert share == pytest.approx(waited_ms / 1_000, rel=0.01)


def test_components_in_processes_of_their_own_may_have_every_processor() -> None:
    """Their time is taken there; requests beside them are seen late as ever."""
    apart = request("work")
    apart = replace(apart, exchange=replace(apart.exchange, is_apart=True))

    def verdict(*steps: RequestNode) -> tuple[list[str], float | None]:
        graph = make_graph([user_class(task("t", *steps))], closed(2, 10))
        outcome = run_graph(graph, waits=waiting(600)).outcome
        return [*outcome.invalid, *outcome.biased], outcome.health.facts().wait_share

    alone, share = verdict(apart)
    beside, _ = verdict(apart, request())

    assert alone == []
    assert share == pytest.approx(0.6, rel=0.01)
    assert len(beside) == 1


def test_a_plan_that_takes_the_processor_itself_is_told_so() -> None:
    """Freeing the host is no advice where its load is the plan's own."""
    node = request("work")
    own = replace(node, exchange=replace(node.exchange, has_process=True))
    starved = of_seconds((Waits(180 * NS_PER_MS, 102, 0), 71_000, 470 * NS_PER_US))

    def reason(step: RequestNode) -> str:
        doubts = Doubts()
        graph = make_graph([user_class(task("t", step))], closed(2, 10))
        doubts_of_starvation(doubts, starved, graph)
        return doubts.biased[0]

    assert reason(own) == (
        f"{reason(node)}; where that is what the plan itself runs (`exec`, `isolate: process`), "
        "use fewer of those users, or leave a processor free"
    )


def test_a_wait_before_a_turn_delays_no_component_that_takes_its_own_time() -> None:
    found = Starvation()

    found.add(Waits(NS_PER_S // 50, 100, 0), NS_PER_S, 100, 100 * 600.0, reads_replies=False)

    assert level(found) == "valid"
