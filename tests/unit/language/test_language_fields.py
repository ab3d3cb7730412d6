"""Fields of the plan's models: what they accept, what they say, what editors are told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import Expression, ExpressionError
from planrunner.language.fields.pauses import parse_pause
from planrunner.language.fields.text import Text, lower_value
from planrunner.language.fields.types import (
    Count,
    Deferred,
    Duration,
    DurationRange,
    ExprField,
    NameField,
    PauseValue,
    Percent,
    PositiveInt,
    RateField,
    SeriesName,
    Size,
    TextField,
    ValueField,
    VariableName,
)
from planrunner.units import NS_PER_MS, NS_PER_S, Rate, UnitError, write_duration


class Fields(BaseModel):
    duration: Duration = 0
    pause: DurationRange | None = None
    rate: RateField | None = None
    size: Size = 0
    percent: Percent = 0.0
    positive: PositiveInt = 1
    count: Count = 0
    text: TextField | None = None
    value: ValueField = None
    expression: ExprField | None = None
    name: NameField = "x"
    series: SeriesName | None = None
    variable: VariableName = "x"


def read(field: str, value: object) -> Any:
    return getattr(Fields.model_validate({field: value}), field)


def faults(field: str, value: object) -> list[tuple[tuple[object, ...], str, str, str]]:
    with pytest.raises(ValidationError) as caught:
        read(field, value)
    return [
        (error["loc"][1:], error["type"], error["msg"], error["ctx"]["hint"])
        for error in caught.value.errors()
    ]


@pytest.mark.parametrize(
    ("field", "value", "parsed"),
    [
        ("duration", "1h30m", 5400 * NS_PER_S),
        ("duration", "0", 0),
        ("duration", 0, 0),
        ("rate", "30/m", Rate(1, 2 * NS_PER_S)),
        ("size", "2KiB", 2048),
        ("size", 5, 5),
        ("percent", "0.5%", 0.005),
        ("positive", 3, 3),
        ("count", 0, 0),
        ("name", "GET /kv/:key", "GET /kv/:key"),
        ("name", 7, "7"),
        ("variable", "user_2", "user_2"),
        ("pause", "2s", PauseValue("constant", 2 * NS_PER_S)),
        ("pause", "1s..3s", PauseValue("uniform", NS_PER_S, 3 * NS_PER_S)),
        ("pause", "1s .. 3s", PauseValue("uniform", NS_PER_S, 3 * NS_PER_S)),
        ("pause", "normal(2s, 500ms)", PauseValue("normal", 2 * NS_PER_S, 500 * NS_PER_MS)),
        ("pause", "exponential(1s)", PauseValue("exponential", NS_PER_S)),
        ("pause", "pareto(1s, 1.5)", PauseValue("pareto", NS_PER_S, 1.5)),
    ],
)
def test_a_field_holds_the_parsed_value(field: str, value: object, parsed: object) -> None:
    """Units become exact numbers before anything else sees them."""
    assert read(field, value) == parsed


@pytest.mark.parametrize(
    ("field", "value", "code", "message", "hint"),
    [
        ("duration", 30, Code.INVALID_UNIT, "`30` is not a duration",
         "add a unit: `30s` or `30ms`"),
        ("duration", "fast", Code.INVALID_UNIT, "`fast` is not a duration",
         "write a duration such as `250ms`, `30s` or `1h30m`"),
        ("duration", [1], Code.WRONG_TYPE, "expected a duration, found a list", "write `30s`"),
        ("duration", True, Code.WRONG_TYPE, "expected a duration, found true or false",
         "write `30s`"),
        ("rate", 10, Code.INVALID_UNIT, "`10` is not a rate",
         "add a unit: `10/s` or `10/m`"),
        ("size", -1, Code.INVALID_UNIT, "`-1` is too small", "write `0` or more"),
        ("percent", 1, Code.INVALID_UNIT, "`1` is not a percentage", "write `1%`"),
        ("positive", 0, Code.INVALID_VALUE, "`0` is too small", "write `1` or more"),
        ("positive", -5, Code.INVALID_VALUE, "`-5` is too small", "write `1` or more"),
        ("positive", 1.5, Code.INVALID_VALUE, "`1.5` is not a whole number", "write `2`"),
        ("positive", float("nan"), Code.INVALID_VALUE, "`nan` is not a whole number",
         "write 1 or more, such as `10`"),
        ("positive", "1,000", Code.INVALID_VALUE, "`1,000` is not a whole number",
         "write `1000` without quotes"),
        ("positive", "5", Code.INVALID_VALUE, "`5` is not a whole number",
         "write `5` without quotes"),
        ("positive", "many", Code.INVALID_VALUE, "`many` is not a whole number", "write `10`"),
        ("positive", None, Code.WRONG_TYPE, "expected a whole number, found null", "write `10`"),
        ("positive", {"a": 1}, Code.WRONG_TYPE, "expected a whole number, found a mapping",
         "write `10`"),
        ("pause", "3s..1s", Code.INVALID_UNIT, "`3s..1s` ends before it starts",
         "write `1s..3s`"),
        ("pause", "gauss(1s)", Code.INVALID_UNIT, "there is no distribution `gauss`",
         "write a range as `1s..3s`; there are also normal, exponential and pareto"),
        ("pause", "Normal(1s, 1s)", Code.INVALID_UNIT, "there is no distribution `Normal`",
         "did you mean `normal`?"),
        ("pause", "normal(1s)", Code.INVALID_UNIT,
         "`normal` takes mean and standard deviation", "write `normal(2s, 500ms)`"),
        ("pause", "pareto(1s, 0)", Code.INVALID_UNIT, "`0` is not a shape",
         "write a number above 0: `pareto(1s, 1.5)`"),
        ("pause", "pareto(1s, nan)", Code.INVALID_UNIT, "`nan` is not a shape",
         "write a number above 0: `pareto(1s, 1.5)`"),
        ("pause", "1..3", Code.INVALID_UNIT, "`1` is not a duration",
         "add a unit: `1s` or `1ms`"),
        ("pause", "slow", Code.INVALID_UNIT, "`slow` is not a duration",
         "write `1s`, `1s..3s` or `normal(2s, 500ms)`"),
        ("text", True, Code.WRONG_TYPE, "expected text, found true or false",
         "write it in quotes"),
        ("text", ["a"], Code.WRONG_TYPE, "expected text, found a list", ""),
        ("text", "a {{ b }}", Code.WRONG_BRACES,
         "an expression is written `${\u2026}`, not `{{ \u2026 }}`", "write `${b}`"),
        ("expression", "${a}", Code.EXPRESSION_SYNTAX,
         "an expression belongs here without `${` and `}`", "write `a`"),
        ("expression", "a =", Code.EXPRESSION_SYNTAX, "`=` assigns nothing here",
         "compare with `==`"),
        ("expression", ["a"], Code.WRONG_TYPE, "expected an expression, found a list",
         "write it in quotes"),
        ("name", "", Code.INVALID_VALUE, "a name can't be empty", ""),
        ("name", "a\nb", Code.INVALID_VALUE, "a name is one line of up to 200 characters",
         "shorten the name"),
        ("name", None, Code.WRONG_TYPE, "expected a name, found null", ""),
        ("variable", "user-id", Code.INVALID_VALUE, "`user-id` can't be used in expressions",
         "write `user_id`"),
        ("variable", "json", Code.RESERVED_NAME, "`json` is a name that planrunner reserves",
         "choose another name"),
    ],
)  # fmt: skip
def test_a_fault_has_its_slug_and_says_what_to_write(
    field: str, value: object, code: Code, message: str, hint: str
) -> None:
    """The error's type is the diagnostic's code."""
    assert faults(field, value) == [((), code.value, message, hint)]


def test_a_fault_in_an_expression_has_its_offset() -> None:
    """The plan's loader points at the character."""
    with pytest.raises(ValidationError) as caught:
        read("duration", "${a b}s")

    assert caught.value.errors()[0]["ctx"]["offset"] == 4


def test_every_fault_of_a_nested_value_is_found_at_its_place() -> None:
    """One run of the loader shows them all."""
    found = faults("value", {"a": ["${+}", {"b": "${}"}], "c": "fine ${x}"})

    assert [(loc, code) for loc, code, *_ in found] == [
        (("a", 0), "expression-syntax"),
        (("a", 1, "b"), "expression-syntax"),
    ]


def test_texts_values_and_expressions_come_parsed() -> None:
    """The compiler finds expressions, not strings."""
    assert isinstance(read("text", "/kv/${key}"), Text)
    assert read("text", 8080).lower().value == "8080"
    assert lower_value(read("value", {"a": "${x}"})).evaluate({"x": 1}) == {"a": 1}
    assert isinstance(read("expression", "status == 200"), Expression)
    assert read("expression", value=False).lower().value is False
    assert read("expression", 0).lower().value == 0


# --- deferred -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "text", "constants", "value"),
    [
        ("duration", "${hold}", {"hold": 30}, 30 * NS_PER_S),
        ("duration", "${hold}", {"hold": 0.1}, 100_000_000),
        ("duration", "${hold}", {"hold": "1m30s"}, 90 * NS_PER_S),
        ("duration", "${n}s", {"n": 5}, 5 * NS_PER_S),
        ("duration", "${hold / 3}", {"hold": 1}, 333_333_333),
        ("pause", "${hold}", {"hold": 2}, PauseValue("constant", 2 * NS_PER_S)),
        ("pause", "${a}s..${b}s", {"a": 1, "b": 2},
         PauseValue("uniform", NS_PER_S, 2 * NS_PER_S)),
        ("pause", "${a}..${b}", {"a": 0.5, "b": 2},
         PauseValue("uniform", NS_PER_S // 2, 2 * NS_PER_S)),
        ("pause", "${a}..2s", {"a": 1e-6}, PauseValue("uniform", 1000, 2 * NS_PER_S)),
        ("pause", "normal(${a}, ${b})", {"a": 2, "b": "500ms"},
         PauseValue("normal", 2 * NS_PER_S, NS_PER_S // 2)),
        ("pause", "pareto(1s, ${a})", {"a": 1.5}, PauseValue("pareto", NS_PER_S, 1.5)),
        ("rate", "${r}", {"r": 200}, Rate(200, NS_PER_S)),
        ("rate", "${r}", {"r": 1 / 60}, Rate(1, 60 * NS_PER_S)),
        ("rate", "${r}", {"r": 0.1}, Rate(1, 10 * NS_PER_S)),
        ("rate", "${r}", {"r": "5/h"}, Rate(5, 3600 * NS_PER_S)),
        ("size", "${s * 2}", {"s": 500}, 1000),
        ("size", "${s}KB", {"s": 5}, 5000),
        ("percent", "${p}", {"p": 0.01}, 0.01),
        ("percent", "${p}%", {"p": 1}, 0.01),
        ("positive", "${n}", {"n": 3}, 3),
        ("positive", "${n / 2}", {"n": 4}, 2),
        ("count", "${n}", {"n": 0}, 0),
    ],
)  # fmt: skip
def test_a_deferred_value_is_what_the_plan_would_say(
    field: str, text: str, constants: dict[str, object], value: object
) -> None:
    """Numbers are seconds, per second, bytes, fractions; texts are read as in the plan."""
    deferred = read(field, text)

    assert isinstance(deferred, Deferred)
    assert deferred.resolve(constants) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration", -1), ("duration", "fast"), ("duration", 1e18), ("duration", float("nan")),
        ("rate", -1), ("rate", 1e10), ("rate", float("nan")), ("size", 1.5), ("size", -1),
        ("percent", -0.1), ("percent", float("inf")), ("positive", 0), ("positive", "3"),
        ("positive", 2.5), ("pause", "2s..1s"),
    ],
)  # fmt: skip
def test_a_deferred_value_out_of_range_is_refused_without_being_shown(
    field: str, value: object
) -> None:
    """It may come from a secret."""
    with pytest.raises(UnitError) as caught:
        read(field, "${v}").resolve({"v": value})

    assert caught.value.message.startswith("the value of `${v}` is not a")
    assert str(value) not in caught.value.message.replace("${v}", "")


@pytest.mark.parametrize("value", [True, None, [1], {"a": 1}])
def test_a_deferred_value_of_another_type_is_refused(value: object) -> None:
    """`true` is no number of users."""
    with pytest.raises(ExpressionError) as caught:
        read("positive", "${v}").resolve({"v": value})

    assert caught.value.code is Code.EXPRESSION_FAILED


def test_a_deferred_value_must_be_known_before_the_run() -> None:
    """A phase's length can't depend on a user."""
    with pytest.raises(ExpressionError) as caught:
        read("duration", "${hold}").resolve({})

    assert caught.value.message == "`${hold}` must be known before the run"


@given(st.integers(0, 50 * 24 * 3600 * NS_PER_S))
def test_a_duration_param_is_exact(ns: int) -> None:
    """As a param, through an expression, back to nanoseconds: nothing is lost for 50 days."""
    deferred = read("duration", "${hold}")

    assert deferred.resolve({"hold": ns / NS_PER_S}) == ns
    assert deferred.resolve({"hold": write_duration(ns)}) == ns


# --- schema -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("duration", ["0", "30s", "1h30m", "1.5s", "${hold}", "${n}s"], ["30", "fast", "30 s"]),
        ("rate", ["100/s", "0.5/m", "${r}"], ["100", "100/sec"]),
        ("percent", ["1%", "0.5%", "${p}"], ["1", "1 %"]),
        (
            "pause",
            ["1s", "1s..3s", "normal(2s, 500ms)", "exponential(1s)", "pareto(1s, 1.5)", "${w}"],
            ["1", "gauss(1s)", "1s..3"],
        ),
    ],
)
def test_an_editor_accepts_what_the_loader_accepts(
    field: str, good: list[str], bad: list[str]
) -> None:
    """The pattern is the same rule, in short."""
    schema = Fields.model_json_schema()["properties"][field]
    schema = schema.get("anyOf", [schema])[0]
    pattern = re.compile(schema["pattern"])

    assert all(pattern.search(text) for text in good)
    assert not any(pattern.search(text) for text in bad)
    assert all(read(field, text) is not None for text in good)
    assert schema["patternErrorMessage"].startswith("Write a")


def test_numbers_may_be_expressions_in_an_editor_too() -> None:
    """An integer, or a string with `${`."""
    integer, text = Fields.model_json_schema()["properties"]["positive"]["anyOf"]

    assert integer == {"type": "integer", "minimum": 1}
    assert re.search(text["pattern"], "${users}")
    assert not re.search(text["pattern"], "5")


@given(st.text(alphabet="0123456789.smhunorapeti(), ", max_size=30))
def test_a_pause_parses_or_is_refused(text: str) -> None:
    """No other exception, whatever is written."""
    try:
        accepted = parse_pause(text).first >= 0
    except UnitError as error:
        accepted = bool(error.hint)

    assert accepted
