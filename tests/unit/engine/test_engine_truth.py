"""What a run reports of a target whose delays are known, computed beside it: within 0.4 %."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from planrunner.graph.run_graph import UserProgram
from planrunner.metrics.histogram import Histogram
from planrunner.protocols.base import Scope
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    Answer,
    Told,
    closed,
    make_graph,
    pause,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.loads import open_phase
from tests.support.remote_pools import run_fleet
from tests.support.virtual_time import VirtualClock

PERCENTS = (1, 25, 50, 75, 89, 91, 95, 99, 99.9)


def taking(delay: Callable[[int], int], **more: object) -> UserProgram:
    """Send requests of which number n, from 0, takes `delay(n)`."""
    sent = -1

    def answer(_: Scope) -> Answer:
        nonlocal sent
        sent += 1
        return Answer(delay_ns=delay(sent))

    return user_class(task("get", request(operation=answer)), **more)


def bimodal(number: int) -> int:
    """Nine of ten take 10 ms, and each tenth 200 ms."""
    return (200 if number % 10 == 9 else 10) * NS_PER_MS


def reported(told: Told) -> tuple[Histogram, Histogram]:
    latency, service = Histogram(), Histogram()
    for labels, total in told.outcome.total.totals.items():
        if labels.kind == "request":
            latency.merge(total.latency)
            service.merge(total.service)
    return latency, service


def assert_true(found: Histogram, exact: Sequence[int]) -> None:
    """Count, extremes and sum exactly; each percentile within half a bucket of its nearest rank."""
    ordered = sorted(exact)
    assert (found.count, found.min, found.max) == (len(ordered), ordered[0], ordered[-1])
    assert found.total == sum(ordered)
    for percent in PERCENTS:
        rank = max(1, -(-len(ordered) * round(percent * 10) // 1000))
        assert found.percentile(percent) == pytest.approx(ordered[rank - 1], rel=0.004)


@pytest.mark.parametrize("delay", [lambda _: 50 * NS_PER_MS, bimodal], ids=["constant", "bimodal"])
@pytest.mark.parametrize("model", ["open", "closed"])
def test_percentiles_are_those_of_the_target(model: str, delay: Callable[[int], int]) -> None:
    """A mean of two modes is neither of them, and no percentile lies between them."""
    phase = open_phase(100, 10) if model == "open" else closed(20, 10)
    told = run_graph(make_graph(taking(delay), phase))

    latency, service = reported(told)
    exact = [delay(number) for number in range(told.target.requests)]
    assert_true(latency, exact)
    assert_true(service, exact)


@pytest.mark.slow
def test_delays_of_every_size_are_reported() -> None:
    """From microseconds to seconds."""
    draw = random.Random(4)
    delays = [round(10 ** draw.uniform(3, 9.5)) for _ in range(1_000)]
    told = run_graph(make_graph(taking(delays.__getitem__), open_phase(200, 5)))

    latency, service = reported(told)
    assert_true(latency, delays)
    assert_true(service, delays)


@pytest.mark.parametrize("workers", [2, 3])
def test_percentiles_of_several_workers_are_those_of_the_target(workers: int) -> None:
    """They are merged from counts, not averaged."""
    told = run_fleet(make_graph(taking(bimodal), open_phase(100, 10)), workers)

    latency, _ = reported(told)
    assert_true(latency, [bimodal(number) for number in range(1_000)])


@pytest.mark.slow
def test_a_stall_of_a_second_is_in_the_latency_of_all_who_came_in_it() -> None:
    """Whoever came n ms into it waited 1000 - n ms longer."""
    begin_ns: list[int] = []

    def answer(_: Scope) -> Answer:
        now_ns = VirtualClock().now_ns()
        begin_ns.append(now_ns)
        into_ns = now_ns - begin_ns[0] - 3 * NS_PER_S
        left_ns = NS_PER_S - into_ns if 0 <= into_ns < NS_PER_S else 0
        return Answer(delay_ns=5 * NS_PER_MS + left_ns)

    program = user_class(task("get", request(operation=answer)))
    told = run_graph(make_graph(program, open_phase(200, 8)))

    latency, _ = reported(told)
    waits = [(1_005 - 5 * n) * NS_PER_MS for n in range(200)]
    assert_true(latency, [5 * NS_PER_MS] * 1_400 + waits)


@pytest.mark.slow
def test_an_hour_long_run_is_exact_to_its_last_sample() -> None:
    """Ten users with a think time of 9.9 s beside one arrival a second: no drift, nothing lost."""
    told = run_graph(
        make_graph(
            [taking(bimodal, name="A"), taking(bimodal, name="B", wait=pause(9.8))],
            open_phase(1, 3600, name="open", classes=["A"]),
            closed(10, 3600, name="closed", classes=["B"], start_at=0),
        )
    )

    by_phase = {name: Histogram() for name in ("open", "closed")}
    for labels, total in told.outcome.total.totals.items():
        if labels.kind == "request":
            by_phase[labels.phase].merge(total.latency)
    assert_true(by_phase["open"], [bimodal(number) for number in range(3_600)])
    assert by_phase["closed"].count == pytest.approx(10 * 3600 / 9.829, rel=0.01)
    assert set(by_phase["closed"].percentiles((50, 89))) == set(
        Histogram([10 * NS_PER_MS]).percentiles((50, 89))
    )
