"""What requests record by expressions: after their expectations and extractions, or a failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy
import pytest

from planrunner.engine import RunOutcome
from planrunner.graph.run_graph import PollNode
from planrunner.graph.steps import RecordedNode
from planrunner.language.expressions.expression import parse
from planrunner.metrics.recorded_values import RecordedValues
from planrunner.protocols.base import FailureKind, Scope
from planrunner.units import NS_PER_MS
from tests.support.graphs import Answer, closed, make_graph, request, run_graph, task, user_class

MS = NS_PER_MS


def record(word: str, source: str) -> RecordedNode:
    return RecordedNode(word, source, parse(source).lower().evaluate)


def taking(*answers: Answer, **values: Sequence[object]) -> Callable[[Scope], Answer]:
    """Answer in turn, and give the user's names these values in turn."""
    rounds = iter(range(1_000))

    def answer(scope: Scope) -> Answer:
        n = next(rounds)
        for name, given in values.items():
            scope[name] = given[n]
        return answers[n % len(answers)]

    return answer


def run_of(*records: RecordedNode, seconds: float = 0.03, **keys: Any) -> RunOutcome:
    step = request(records=records, **keys)
    return run_graph(make_graph(user_class(task("get", step)), closed(1, seconds))).outcome


def found(outcome: RunOutcome) -> dict[str, dict[str, RecordedValues]]:
    return {
        labels.failure: total.measures  # type: ignore[misc]  # nothing else is recorded here
        for labels, total in outcome.total.totals.items()
        if labels.kind == "request"
    }


def words_of(outcome: RunOutcome) -> set[str]:
    return {sample.reason for sample in outcome.failing}


def test_each_success_records_every_value() -> None:
    """Numbers of any sign, and booleans; the last one with its moment."""
    outcome = run_of(
        record("work", "rows"),
        record("metric.delta", "delta / 2"),
        record("metric.hit", "rows > 5"),
        operation=taking(Answer(), rows=[4, 6, 8], delta=[1, -3, 0]),
    )

    values = found(outcome)[""]
    at_ns = outcome.started_ns + 30 * MS
    assert values["work"] == RecordedValues([4_000_000, 6_000_000, 8_000_000], last_ns=at_ns)
    assert values["metric.delta"].min == -1_500_000
    assert values["metric.delta"].last == 0
    assert values["metric.hit"] == RecordedValues(
        [0, 1_000_000, 1_000_000], booleans=3, last_ns=at_ns
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "`metric.a` must be a number, true or false, and `x` is null"),
        ("7", "`metric.a` must be a number, true or false, and `x` is text"),
        ([1], "`metric.a` must be a number, true or false, and `x` is a list"),
        (float("nan"), "`metric.a` can't be infinite or NaN, as `x` is"),
        (10**15, "`metric.a` must be at most 9,000,000,000,000, and `x` isn't"),
    ],
)
def test_what_is_no_value_is_a_failure(value: object, words: str) -> None:
    """Of kind `extract`, which ends the iteration; the sample has its latency and no value."""
    outcome = run_of(
        record("metric.b", "1"),
        record("metric.a", "x"),
        operation=taking(Answer(), x=[value, 1, value, 2]),
        seconds=0.04,
    )

    assert {kind: len(values) for kind, values in found(outcome).items()} == {"extract": 0, "": 2}
    assert found(outcome)[""]["metric.b"].count == 2
    assert words_of(outcome) == {words}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Decimal("2.5"), 2_500_000),
        (Decimal(-3), -3_000_000),
        (Fraction(1, 4), 250_000),
        (numpy.int64(2**40), 2**40 * 1_000_000),
        (numpy.float32(0.5), 500_000),
        (numpy.array(7), 7_000_000),
    ],
)
def test_numbers_of_libraries_are_numbers(value: object, kept: int) -> None:
    """Functions of data teams return them."""
    outcome = run_of(record("metric.a", "x"), operation=taking(Answer(), x=[value] * 9))

    values = found(outcome)[""]["metric.a"]
    assert (values.last, values.booleans) == (kept, 0)


def test_a_truth_of_numpy_is_a_boolean() -> None:
    """As comparisons of arrays give it."""
    truths = [numpy.array([1, 2]).all(), numpy.array([0, 1]).all()]

    outcome = run_of(record("metric.a", "x"), operation=taking(Answer(), x=truths * 5))

    values = found(outcome)[""]["metric.a"]
    assert values.are_booleans
    assert values.min == 0


@pytest.mark.parametrize("value", [Decimal("sNaN"), Decimal("NaN"), Fraction(10**400)])
def test_what_libraries_call_a_number_may_be_none(value: object) -> None:
    """A failure as any other, and no crash."""
    outcome = run_of(record("metric.a", "x"), operation=taking(Answer(), x=[value] * 9))

    assert set(found(outcome)) == {"extract"}
    assert words_of(outcome) == {"`metric.a` can't be infinite or NaN, as `x` is"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "`work` must be a number, and `x` is true or false"),
        (-1, "`work` must be 0 at least, and `x` isn't"),
    ],
)
def test_work_is_a_number_from_zero(value: object, words: str) -> None:
    """Nothing did less than nothing."""
    outcome = run_of(record("work", "x"), operation=taking(Answer(), x=[value] * 9))

    assert set(found(outcome)) == {"extract"}
    assert words_of(outcome) == {words}


def test_a_name_without_value_is_named() -> None:
    """As in any expression."""
    outcome = run_of(record("metric.a", "nothing.here"))

    assert set(found(outcome)) == {"extract"}
    assert "nothing" in words_of(outcome).pop()


def test_a_failure_records_nothing_and_reads_nothing() -> None:
    """A refused reply, a wrong status and a broken expectation keep their own words."""
    refused, wrong = Answer(failure=FailureKind.RESET), Answer(status=500)

    outcome = run_of(
        record("work", "1"), operation=taking(Answer(), refused, wrong), checks=[lambda *_: None]
    )

    assert {kind: values.keys() for kind, values in found(outcome).items()} == {
        "": {"work"},
        "reset": set(),
        "status": set(),
    }


def test_labels_say_what_samples_record() -> None:
    """Those of failures too, so that a rate knows whose time counts."""
    outcome = run_of(
        record("work", "1"), work_unit="rows", operation=taking(Answer(), Answer(status=404))
    )

    requests = [labels for labels in outcome.total.totals if labels.kind == "request"]
    assert {(one.records, one.work_unit) for one in requests} == {(("work",), "rows")}
    assert len(requests) == 2


def test_every_attempt_of_a_poll_records() -> None:
    """They are requests like any other."""
    attempt = request(records=(record("metric.n", "n"),), operation=taking(Answer(), n=[1, 2, 3]))
    until = iter([False, False, True])
    node = PollNode(attempt, lambda _: next(until), "done", every_ns=MS, timeout_ns=1000 * MS)

    told = run_graph(make_graph(user_class(task("get", node)), closed(1, 0.03)))

    assert found(told.outcome)[""]["metric.n"].total == 6_000_000
