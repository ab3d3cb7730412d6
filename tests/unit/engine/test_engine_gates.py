"""Thresholds while the run goes on: what aborts it, and what they see at its end."""

from __future__ import annotations

from planrunner.engine import Ending
from planrunner.engine.coordinator.events import Tick
from planrunner.metrics.judging.verdict import Verdict
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


def answers_in(delay_ms, status=200):
    operation = Answer(delay_ns=delay_ms * NS_PER_MS, status=status)
    return user_class(task("t", request(operation=operation)))


def verdicts(told):
    return [gate.judge(told.outcome.evidence).verdict for gate in told.outcome.gates]


def test_thresholds_see_the_whole_run():
    """What the last fraction of a second brought as well."""
    thresholds = ["p95 < 40ms", "p95 < 60ms", "count >= 45"]

    told = run_graph(make_graph(answers_in(50), closed(1, 2.3), thresholds=thresholds))

    assert verdicts(told) == [Verdict.FAIL, Verdict.PASS, Verdict.PASS]


def test_warm_up_and_ramp_are_told_apart():
    """The throughput of the hold is that of its own time."""
    thresholds = ["throughput in phase main stage hold == 20/s", "throughput in phase main < 20/s"]

    told = run_graph(
        make_graph(answers_in(100), closed(2, 3, ramp_up=4, warmup=1), thresholds=thresholds)
    )

    assert verdicts(told) == [Verdict.PASS, Verdict.PASS]


def test_a_broken_threshold_with_abort_ends_the_run():
    """Judged once a second, gracefully, and the reason names the threshold."""
    thresholds = ["error_rate < 5%, abort after 3s"]

    told = run_graph(make_graph(answers_in(50, status=500), closed(1, 60), thresholds=thresholds))

    assert told.outcome.ending is Ending.ABORTED
    assert "error_rate < 5%" in told.outcome.reason
    assert 3 <= told.seconds(told.outcome.ended_ns) <= 3.1
    assert verdicts(told) == [Verdict.FAIL]


def test_a_threshold_without_abort_ends_nothing():
    """It fails when the run is over."""
    told = run_graph(
        make_graph(answers_in(50, status=500), closed(1, 5), thresholds=["error_rate < 5%"])
    )

    assert told.outcome.ending is Ending.FINISHED
    assert verdicts(told) == [Verdict.FAIL]


def test_windows_are_filled_as_the_run_goes():
    """Two bad seconds of ten are found by windows of one second."""
    moments = iter(range(1_000_000))

    def answer(scope):
        slow = 40 <= next(moments) < 50
        return Answer(delay_ns=(200 if slow else 50) * NS_PER_MS)

    users = user_class(task("t", request(operation=answer)))
    thresholds = ["p50 over 1s < 100ms", "p50 < 100ms"]

    told = run_graph(make_graph(users, closed(1, 10), thresholds=thresholds))

    assert verdicts(told) == [Verdict.FAIL, Verdict.PASS]


def test_the_generator_itself_can_be_judged():
    """In virtual time its timers are never late."""
    told = run_graph(
        make_graph(answers_in(50), closed(1, 3), thresholds=["max of generator.loop_lag < 1ms"])
    )

    assert verdicts(told) == [Verdict.PASS]


def test_a_task_that_never_ran_is_part_of_the_mix():
    """One iteration of two equal tasks: half of the runs went elsewhere."""
    slow = Answer(delay_ns=2_000 * NS_PER_MS)
    users = user_class(task("a", request(operation=slow)), task("b", request(operation=slow)))

    told = run_graph(make_graph(users, closed(1, 1), thresholds=["mix_error == 50%"]))

    assert verdicts(told) == [Verdict.PASS]


def test_a_threshold_against_a_baseline_can_abort():
    """What the baseline says is known before the run, so there is no need to wait for its end."""
    thresholds = ["p95 < 110% of baseline, abort after 2s"]
    graph = make_graph(answers_in(50), closed(1, 60), thresholds=thresholds)

    slower = run_graph(graph, baseline=lambda metric: 40 * NS_PER_MS)
    without = run_graph(make_graph(answers_in(50), closed(1, 4), thresholds=thresholds))

    assert slower.outcome.ending is Ending.ABORTED
    assert slower.seconds(slower.outcome.ended_ns) < 4
    assert verdicts(slower) == [Verdict.FAIL]
    assert verdicts(without) == [Verdict.NOT_APPLICABLE]


def test_who_asks_is_told_how_thresholds_stand():
    """So far: what has no data yet is neither held nor broken."""
    thresholds = ["p95 < 40ms", "p99 < 1s", "count of iteration >= 0", "p95 of nobody < 1s"]
    seen = []

    def listen(event):
        if isinstance(event, Tick):
            seen.append([one.verdict for one in event.insight.standings()])

    run_graph(make_graph(answers_in(50), closed(1, 2.5), thresholds=thresholds), listener=listen)

    assert seen[-1] == [Verdict.FAIL, Verdict.PASS, Verdict.PASS, Verdict.NO_DATA]


def test_a_scope_shorter_than_its_window_is_told_without_nanoseconds():
    """It is one window, of whatever length it has."""
    phase = closed(1, 2.345_678_9)
    told = run_graph(make_graph(answers_in(50), phase, thresholds=["p95 over 10s < 40ms"]))
    (gate,) = told.outcome.gates

    assert gate.judge(told.outcome.evidence).reason == "in the 2s346ms from 0s"
