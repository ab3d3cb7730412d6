"""Measures that a plan asks for: what is recorded of requests, exactly, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planrunner.engine import RunOutcome
from planrunner.graph.run_graph import PollNode, RunGraph, StepNode
from planrunner.metrics.amounts import Unit
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.measures import CONNECT, SIZE, TTFB, Measure
from planrunner.protocols.base import FailureKind, Reply, Scope
from planrunner.results.aggregate import make_totals
from planrunner.results.files.recover import recover
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter
from planrunner.results.record import make_measures, make_series, read_series
from planrunner.units import NS_PER_MS
from tests.support.graphs import (
    Answer,
    closed,
    make_graph,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.loads import open_phase
from tests.support.remote_pools import run_fleet
from tests.support.results import make_result

MS = NS_PER_MS
ALL = {"fake": (TTFB, CONNECT, SIZE)}
REFUSED = Answer(failure=FailureKind.CONNECT, delay_ns=0, connect_ns=MS)


def answering(*answers: Answer) -> Callable[[Scope], Answer]:
    left = iter(answers)
    return lambda _: next(left)


def graph_of(
    *steps: StepNode, seconds: float, measures: Any = ALL, thresholds: tuple[str, ...] = ()
) -> RunGraph:
    users = user_class(task("get", *steps))
    return make_graph(users, closed(1, seconds), measures=measures, thresholds=thresholds)


def recorded(outcome: RunOutcome) -> dict[str, dict[str, Histogram]]:
    """Return what requests have, by their failure; successes stand under an empty one."""
    return {
        labels.failure: total.measures
        for labels, total in outcome.total.totals.items()
        if labels.kind == "request"
    }


FIRST = Answer(connect_ns=5 * MS, delay_ns=20 * MS, rest_ns=8 * MS, received=300)
SECOND = Answer(delay_ns=30 * MS, rest_ns=MS, received=100)
WRONG = Answer(delay_ns=10 * MS, status=500, received=7)


@pytest.mark.parametrize("kind", ["plain", "demanding"])
def test_values_are_those_of_the_replies(kind: str) -> None:
    """To the nanosecond: the first byte, connections that were opened, bytes; failures too."""
    checks = [lambda reply, scope: None] if kind == "demanding" else []
    step = request(operation=answering(FIRST, SECOND, WRONG), checks=checks)

    told = run_graph(graph_of(step, seconds=0.06))

    assert recorded(told.outcome) == {
        "": {
            "ttfb": Histogram([12 * MS, 29 * MS]),
            "connect": Histogram([5 * MS]),
            "size": Histogram([300, 100]),
        },
        "status": {"ttfb": Histogram([10 * MS]), "size": Histogram([7])},
    }


def test_a_request_without_a_reply_has_none() -> None:
    """A connection that was refused was not opened; no byte of a reply came."""
    timeout = Answer(failure=FailureKind.TIMEOUT, delay_ns=10 * MS)
    step = request(operation=answering(timeout, REFUSED))

    told = run_graph(graph_of(step, seconds=0.02))

    assert recorded(told.outcome) == {"timeout": {}, "connect": {}}


def test_every_attempt_of_a_poll_has_them() -> None:
    """They are requests like any other."""
    attempt = request(operation=answering(SECOND, SECOND, FIRST), name="job")
    until = iter([False, False, True])
    node = PollNode(attempt, lambda _: next(until), "done", every_ns=MS, timeout_ns=1000 * MS)

    told = run_graph(graph_of(node, seconds=0.08))

    assert recorded(told.outcome)[""]["ttfb"] == Histogram([29 * MS, 29 * MS, 12 * MS])


def test_nothing_is_recorded_that_nobody_asks_for() -> None:
    """Of other protocols neither, nor of requests that are no result."""
    plain, hidden = request("a"), request("b", measured=False)

    without = run_graph(graph_of(plain, hidden, seconds=0.02, measures={}))
    elsewhere = run_graph(graph_of(plain, hidden, seconds=0.02, measures={"other": (TTFB,)}))
    asked = run_graph(graph_of(plain, hidden, seconds=0.02, measures={"fake": (TTFB,)}))

    def found(outcome: RunOutcome) -> dict[str, set[str]]:
        return {
            labels.request: set(total.measures)
            for labels, total in outcome.total.totals.items()
            if labels.kind == "request"
        }

    assert found(without.outcome) == {"a": set(), "b": set()}
    assert found(elsewhere.outcome) == {"a": set(), "b": set()}
    assert found(asked.outcome) == {"a": {"ttfb"}, "b": set()}


def test_a_measure_of_a_protocols_own_may_have_several_values() -> None:
    """All values of all samples count; a sample may have none."""

    def write_gaps(reply: Reply, values: list[int]) -> None:
        values.extend(reply.body or b"")

    gaps = Measure("gap", "", "gap", Unit.NUMBER, "", write=write_gaps, is_pooled=True)
    bodies = [b"\x01\x02\x03", b"", b"\x07"]
    step = request(operation=answering(*(Answer(body=body) for body in bodies)))

    told = run_graph(graph_of(step, seconds=0.03, measures={"fake": (gaps,)}))

    assert recorded(told.outcome)[""]["gap"] == Histogram([1, 2, 3, 7])


@pytest.mark.parametrize(
    ("sentence", "observed"),
    [
        ("max ttfb < 1s", "29 ms"),
        ("max connect < 1s", "5 ms"),
        ("avg service_time of status:200 < 1s", "25 ms"),
        ("max < 1s", "30 ms"),
        ("max size in phase main < 1KB", "300 B"),
    ],
)
def test_thresholds_judge_them(sentence: str, observed: str) -> None:
    """From what the target did to the sentence of the plan."""
    step = request(operation=answering(FIRST, SECOND, WRONG))

    told = run_graph(graph_of(step, seconds=0.06, thresholds=(sentence,)))

    (gate,) = told.outcome.gates
    assert gate.judge(told.outcome.evidence).observed == observed


def test_a_measure_ends_a_run_that_it_may_abort() -> None:
    """Judged once a second like any other number."""
    step = request(operation=lambda _: Answer(delay_ns=100 * MS))

    told = run_graph(graph_of(step, seconds=60, thresholds=("max ttfb over 2s < 50ms, abort",)))

    assert told.seconds(told.outcome.ended_ns) == 2.0


def varied(number: int) -> Answer:
    return Answer(
        delay_ns=(5 + number % 40) * MS,
        rest_ns=number % 5 * MS,
        received=number % 7,
        connect_ns=number % 3,
    )


@pytest.mark.parametrize("workers", [2, 3])
def test_several_workers_have_the_values_of_one(workers: int) -> None:
    """Merged to the bit, over a pipe."""

    def one_run(run: Callable[[RunGraph], Any]) -> dict[str, Histogram]:
        step = request(operation=answering(*map(varied, range(400))))
        users = user_class(task("get", step))
        graph = make_graph(users, open_phase(100, 4), measures=ALL)
        return recorded(run(graph).outcome)[""]

    alone = one_run(run_graph)
    together = one_run(lambda graph: run_fleet(graph, workers))

    assert alone.keys() == {"ttfb", "connect", "size"}
    assert together == alone


def test_metrics_json_keeps_them() -> None:
    """What is read back is what was measured, in the unit that stands beside its name."""
    step = request(operation=answering(FIRST, SECOND, WRONG))
    totals = run_graph(graph_of(step, seconds=0.06)).outcome.total.totals

    read = read_series(make_series(totals, started_ns=0))

    assert {labels: delta.measures for labels, delta in read.items()} == {
        labels: total.measures for labels, total in totals.items()
    }
    assert [(one.name, one.unit, one.protocols) for one in make_measures(ALL)] == [
        ("connect", "ns", ("fake",)),
        ("size", "bytes", ("fake",)),
        ("ttfb", "ns", ("fake",)),
    ]


def test_a_killed_run_has_them_too(tmp_path: Path) -> None:
    """Raw samples hold what it takes."""
    answers = answering(FIRST, SECOND, WRONG, Answer(failure=FailureKind.RESET))
    hidden = request("hidden", measured=False)
    samples = SampleWriter(tmp_path / "samples.bin", started_unix_ns=0)
    graph = graph_of(request(operation=answers), hidden, seconds=0.1)
    outcome = run_graph(graph, samples=samples).outcome
    samples.close()
    begun = make_result(rows=(), series=(), measures=make_measures(graph.measures))

    result = recover(begun, SampleReader(tmp_path / "samples.bin"))

    read = {labels: delta.measures for labels, delta in read_series(result.series).items()}
    assert result.totals.total_requests == make_totals(outcome.total, ()).total_requests == 4
    assert read == {
        labels: total.measures
        for labels, total in outcome.total.totals.items()
        if labels.kind == "request"
    }
