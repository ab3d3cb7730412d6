"""Thresholds in each form that a plan can use."""

from __future__ import annotations

import pytest

from planrunner.plan.models.thresholds import ThresholdModel
from tests.support.plan_models import found_in, plain


def sentences(text: str) -> list[tuple[str, str, str]]:
    return list(ThresholdModel.model_validate(plain(text)).sentences())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p95 < 500ms", [("fail", "fail", "p95 < 500ms")]),
        ("p95 < ${limit}", [("fail", "fail", "p95 < ${limit}")]),
        ("warn: p99 < 20ms", [("warn", "warn", "p99 < 20ms")]),
        (
            "{warn: p95 < 2s, fail: p95 < 5s}",
            [("warn", "warn", "p95 < 2s"), ("fail", "fail", "p95 < 5s")],
        ),
        ("{metric: p95, op: <, value: 500ms}", [("fail", "", "p95 < 500ms")]),
        (
            "{metric: p99, select: 'task:\"get key\"', scope: phase high,"
            " window: 30s for 2 windows, op: <=, value: 3s, abort: 1m, on_no_data: skip}",
            [
                (
                    "fail",
                    "",
                    'p99 of task:"get key" in phase high over 30s for 2 windows <= 3s, '
                    "abort after 1m",
                )
            ],
        ),
        (
            "{metric: p95, select: each request except a, window: for 30s, op: <, value: 1s}",
            [("fail", "", "p95 of each request except a for 30s < 1s")],
        ),
        (
            "{metric: p99, select: of tag:a, scope: in phase high, window: over 30s, op: <,"
            " value: 3s, abort: after 1m}",
            [("fail", "", "p99 of tag:a in phase high over 30s < 3s, abort after 1m")],
        ),
        ("{metric: dropped, op: ==, value: 0, abort: true}", [("fail", "", "dropped == 0, abort")]),
    ],
)
def test_each_form_gives_sentences(text: str, expected: list[tuple[str, str, str]]) -> None:
    """The long form says the same as a sentence."""
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        ("p95 < 500", "threshold-syntax", ""),
        ("p95 of < 500ms", "threshold-syntax", ""),
        ("{warn: p95 < 2s, metric: p95}", "conflicting-keys", "metric"),
        ("{metric: p95, op: <}", "missing-key", ""),
        ("{metric: p95, op: '<<', value: 1s}", "literal_error", ""),
        ("{metric: p95, op: <, value: [1s]}", "wrong-type", ""),
        ("{metric: p95, op: <, value: 1s, abort: soon}", "invalid-unit", ""),
        ("{}", "missing-key", ""),
        ("{fial: p95 < 1s}", "unknown-key", "fial"),
        ("[p95 < 1s]", "model_type", ""),
    ],
)
def test_faulty_thresholds(text: str, code: str, key: str) -> None:
    """One fault each."""
    (fault,) = found_in(ThresholdModel, text)

    assert (fault.code, fault.key) == (code, key)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{metric: p59x, op: <, value: 1s}", "metric"),
        ("{metric: p95, select: 'task:', op: <, value: 1s}", "select"),
        ("{metric: p95, scope: fase a, op: <, value: 1s}", "scope"),
        ("{metric: p95, window: soon, op: <, value: 1s}", "window"),
        ("{metric: p95, op: <, value: 500}", "value"),
    ],
)
def test_a_fault_of_the_long_form_is_at_its_key(text: str, key: str) -> None:
    """The sentence that it stands for is checked; the place is where the word was written."""
    faults = found_in(ThresholdModel, text)

    assert [(fault.code, fault.where) for fault in faults] == [("threshold-syntax", (key,))]
