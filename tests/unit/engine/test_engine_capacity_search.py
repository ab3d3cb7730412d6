"""Searches in virtual time, against targets whose limit is known."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from planrunner.metrics.judging.each import judge
from planrunner.metrics.thresholds import parse_threshold
from planrunner.timing.run_queue import Waits
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    Answer,
    FakeTarget,
    Told,
    closed,
    make_graph,
    pause,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.loads import search
from tests.support.remote_pools import run_fleet
from tests.support.virtual_time import VirtualTimeLoop


class Limited:
    """A target that answers in 10 ms as long as at most `limit` requests came in a second."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.target = FakeTarget()

    def __call__(self, scope: object) -> Answer:
        asked = self.target.asked_ns  # the last one is from the request before this
        now_ns = asked[-1] if asked else 0
        recent = sum(one > now_ns - NS_PER_S for one in asked[-int(self.limit) - 5 :])
        return Answer(delay_ns=(10 if recent <= self.limit else 400) * NS_PER_MS)


def levels(told: Told) -> list[str]:
    return [f"{step.level:g}{'+' if step.held else '-'}" for step in told.outcome.steps]


def run_search(limit: float, *args: object, **more: object) -> Told:
    target = Limited(limit)
    user = user_class(task("get", request(operation=target)))
    return run_graph(make_graph(user, search(*args, **more)), target=target.target)


@pytest.mark.slow
def test_a_search_over_rates_finds_the_limit_of_the_target() -> None:
    """A target that breaks above 43/s, in steps of 10 and halves: 43 holds, 44 doesn't."""
    told = run_search(43, "rate", 20, 100, ["p95 < 100ms"], plus=10, refine=4, confirm=1)

    assert levels(told) == ["20+", "30+", "40+", "50-", "45-", "42+", "43+", "44-", "43+"]
    (found,) = told.outcome.found
    assert found.text == "max sustainable = 43/s (slo broken by p95 at 44/s)"
    assert told.outcome.evidence.sustainable == {"find": 43}


def test_a_search_over_users_runs_closed_levels() -> None:
    """Users who send once a second each: 20 of them are 20 requests a second."""
    target = Limited(20)
    user = user_class(task("get", request(operation=target)), wait=pause(0.9, 1.1))
    phase = search("users", 5, 40, ["p95 < 100ms"], plus=5, hold=20)
    told = run_graph(make_graph(user, phase), target=target.target)

    (found,) = told.outcome.found
    assert found.text.startswith("max sustainable = ")
    assert 10 <= found.level <= 25
    assert found.broken_by == "p95"


def test_all_levels_held() -> None:
    """The last one is the result, marked as not the limit."""
    told = run_search(1_000, "rate", 10, 30, ["p95 < 100ms"], plus=10)

    (found,) = told.outcome.found
    assert found.text == "max sustainable = 30/s (not reached: the slo held at every level)"


def test_no_level_held() -> None:
    """Zero, and what broke."""
    told = run_search(1, "rate", 10, 30, ["error_rate < 1%", "p95 < 100ms"], plus=10)

    (found,) = told.outcome.found
    assert (found.level, found.text) == (0, "max sustainable = 0 (slo broken by p95 at 10/s)")


def test_a_level_whose_requests_never_end_does_not_hold() -> None:
    """Percentiles of those that did end would say that all is well."""
    user = user_class(task("get", request(operation=Answer(100 * NS_PER_S))))
    phase = search("rate", 10, 30, ["error_rate < 1%"], plus=10, graceful_stop=5)
    told = run_graph(make_graph(user, phase))

    assert told.outcome.found[0].level == 0


def test_time_to_settle_is_not_judged() -> None:
    """Only the first seconds of each level are slow."""
    began: list[float] = []
    target = FakeTarget()

    def operation(scope: object) -> Answer:
        now_ns = target.asked_ns[-1] if target.asked_ns else 0
        if not began or now_ns - began[-1] >= 10 * NS_PER_S:
            began.append(now_ns or 1_000 * NS_PER_S)
        early = now_ns - began[-1] < 2 * NS_PER_S
        return Answer(delay_ns=(500 if early else 10) * NS_PER_MS)

    user = user_class(task("get", request(operation=operation)))
    phase = search("rate", 10, 10, ["p95 < 100ms"], plus=10, settle=3)
    told = run_graph(make_graph(user, phase), target=target)

    assert levels(told) == ["10+"]
    assert told.outcome.measured()[0].end_ns - told.outcome.measured()[0].start_ns == 7 * NS_PER_S


def test_levels_are_stages_with_results_of_their_own() -> None:
    """And a confirmation is told apart from the level it confirms."""
    told = run_search(1_000, "rate", 10, 20, ["p95 < 100ms"], plus=10, confirm=1, cooldown=5)

    assert [part.stage for part in told.outcome.measured()] == ["10/s", "20/s", "20/s confirm"]
    starts = [told.seconds(part.start_ns) for part in told.outcome.measured()]
    assert starts == pytest.approx([0, 15, 30], abs=0.2)


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("max_sustainable >= 20/s", "pass"),
        ("max_sustainable > 20/s", "fail"),
        ("max_sustainable in phase find >= 20/s", "pass"),
        ("count < 1", "no_data"),
        ("count in phase find > 100", "pass"),
    ],
)
def test_thresholds_judge_a_search_only_by_name_or_result(sentence: str, verdict: str) -> None:
    """An unscoped threshold would fail because of the level that broke."""
    told = run_search(1_000, "rate", 10, 20, ["p95 < 100ms"], plus=10)

    assert judge(parse_threshold(sentence), told.outcome.evidence).verdict.value == verdict


def test_achieved_rate_is_judged_level_by_level() -> None:
    """Requests of 0.99 s with room for 15 users: 20/s can't be achieved."""
    user = user_class(task("get", request(operation=Answer(990 * NS_PER_MS))))
    phase = search("rate", 5, 40, ["achieved_rate >= 95%"], plus=5)
    phase = replace(phase, load=replace(phase.load, max_users=15))
    told = run_graph(make_graph(user, phase))

    (found,) = told.outcome.found
    assert found.text == "max sustainable = 15/s (slo broken by achieved_rate at 20/s)"


def test_an_interrupted_search_has_no_result() -> None:
    """What held so far is said, but no threshold takes it for the answer."""
    told = run_graph(
        make_graph(user_class(), search("rate", 10, 1000, ["p95 < 1s"], plus=10)),
        stop_at={25: "enough"},
    )

    (found,) = told.outcome.found
    assert not found.is_found
    assert "20/s held so far" in found.text
    assert told.outcome.evidence.sustainable == {}


def test_other_phases_go_on_before_and_after_a_search() -> None:
    """It is a phase like any other."""
    told = run_graph(
        make_graph(
            user_class(wait=pause(1)),
            closed(1, 5, name="before"),
            search("rate", 10, 20, ["p95 < 1s"], plus=10),
            closed(1, 5, name="after"),
        )
    )

    assert [times.name for times in told.outcome.phases] == ["before", "find", "after"]


def expensive(seconds: float, above: float, **answer: object) -> object:
    """An operation that keeps the generator from doing anything else above a rate, or so."""
    asked: list[int] = []

    def operation(scope: object) -> Answer:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        asked.append(loop.now_ns())
        recent = sum(one > asked[-1] - NS_PER_S for one in asked[-int(above) - 5 :])
        if recent > above:
            loop.stall(round(seconds * NS_PER_S))
        return Answer(**{"delay_ns": 10 * NS_PER_MS, **answer})

    return operation


@pytest.mark.slow
@pytest.mark.parametrize("slo", ["error_rate < 1%", "p95 < 100ms"])
@pytest.mark.parametrize("run", [run_graph, lambda graph: run_fleet(graph, 2)])
def test_a_level_that_the_generator_cannot_send_neither_holds_nor_breaks(run, slo: str) -> None:
    """Whether the slo held there: the target has had another load, or none of the blame."""
    user = user_class(task("get", request(operation=expensive(0.05, 25))))
    told = run(make_graph(user, search("rate", 10, 90, [slo], plus=10, refine=3, confirm=1)))

    (found,) = told.outcome.found
    assert levels(told) == ["10+", "20+", "30-", "30-", "20+"]
    assert found.text.startswith(
        "max sustainable = 20/s or more (the generator was the limit at 30/s: "
    )
    assert found.text.endswith("% of arrivals started over 5 ms late)")
    assert (found.is_found, found.is_reached, found.broken_by) == (True, False, "the generator")
    assert told.outcome.evidence.sustainable == {"find": 20}
    (doubt,) = (one for one in told.outcome.biased if "search" in one)
    assert doubt.startswith("the search of phase `find` is a lower limit for the target: max sus")
    assert told.outcome.steps[2].reason.endswith("of arrivals started over 5 ms late")


def bunching(asked: list[int]) -> object:
    """An operation that makes the generator late for one arrival in five, at 100/s."""

    def operation(scope: object) -> Answer:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        asked.append(loop.now_ns())
        if len(asked) % 5 == 0:
            loop.stall(16 * NS_PER_MS)
        return Answer(10 * NS_PER_MS)

    return operation


@pytest.mark.parametrize(
    ("slo", "said"),
    [
        ("p95 < 100ms", "max sustainable = 100/s (not reached: the slo held at every level)"),
        ("p95 < 12ms", "max sustainable not found (the generator was the limit at 100/s: "),
    ],
)
def test_late_arrivals_spoil_what_broke_not_what_held(slo: str, said: str) -> None:
    """All were sent, and bunches are harder for a target; but its latencies are not its own."""
    user = user_class(task("get", request(operation=bunching([]))))
    told = run_graph(make_graph(user, search("rate", 100, 100, [slo], plus=10)))

    (found,) = told.outcome.found
    assert found.text.startswith(said)


def test_a_generator_that_is_late_limits_a_search_over_users() -> None:
    """It has no due times, but its timers say so."""
    user = user_class(task("get", request(operation=expensive(0.09, 5))), wait=pause(0.9))
    told = run_graph(make_graph(user, search("users", 2, 50, ["p95 < 10s"], plus=3)))

    (found,) = told.outcome.found
    assert found.broken_by == "the generator"
    assert "it was up to" in found.text


def test_a_generator_that_waits_for_its_processor_limits_a_search() -> None:
    """Its timers may be on time: what it sent was less, and it saw replies late."""
    read = itertools.count()
    target = Limited(1_000)
    user = user_class(task("get", request(operation=target)))
    graph = make_graph(user, search("users", 1, 2, ["p95 < 1s"], plus=1))

    told = run_graph(
        graph, target=target.target, waits=lambda: Waits(next(read) * NS_PER_S // 3, 9, 0)
    )

    (found,) = told.outcome.found
    assert found.broken_by == "the generator"
    assert "it had to wait for its processor" in found.text


def test_errors_are_the_target_s_own_however_late_the_generator_was() -> None:
    """No delay makes a server fail."""
    user = user_class(task("get", request(operation=expensive(0.05, 25, status=500))))
    told = run_graph(make_graph(user, search("rate", 30, 90, ["error_rate < 1%"], plus=10)))

    (found,) = told.outcome.found
    assert found.text == "max sustainable = 0 (slo broken by error_rate at 30/s)"


def test_a_search_whose_first_level_the_generator_cannot_send_finds_nothing() -> None:
    """And no threshold takes 0 for the answer."""
    user = user_class(task("get", request(operation=expensive(0.05, 25))))
    told = run_graph(make_graph(user, search("rate", 30, 90, ["p95 < 1s"], plus=10)))

    (found,) = told.outcome.found
    assert (found.is_found, found.level) == (False, 0)
    assert found.text.startswith("max sustainable not found (the generator was the limit at 30/s: ")
    assert told.outcome.evidence.sustainable == {}
    assert any(
        one.startswith("the search of phase `find` has no result") for one in told.outcome.invalid
    )


def test_a_level_that_drops_much_of_its_load_does_not_hold() -> None:
    """Requests of 0.99 s with room for 15 users: those of 20/s that were sent are all right."""
    user = user_class(task("get", request(operation=Answer(990 * NS_PER_MS))))
    phase = search("rate", 5, 40, ["p95 < 2s"], plus=5)
    phase = replace(phase, load=replace(phase.load, max_users=15))

    (found,) = run_graph(make_graph(user, phase)).outcome.found

    assert found.text.startswith("max sustainable = 15/s (slo broken by all users being busy (2")
