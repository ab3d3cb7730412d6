"""Texts with `${…}`: what is literal, what keeps its type, where faults are."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import (
    EvaluationError,
    ExpressionError,
    Reference,
    parse,
)
from planrunner.language.fields.text import lower_value, parse_text, parse_value
from tests.support.cpu_time import within_cpu

SCOPE: dict[str, object] = {"a": 1, "s": "x", "flag": False, "row": {"k": [1, None]}}


def value_of(source: str, **constants: object) -> object:
    return parse_text(source).lower(constants).evaluate(SCOPE)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("", ""),
        ("plain", "plain"),
        ("/kv/${s}", "/kv/x"),
        ("${s}/${a}", "x/1"),
        ("a${s}b", "axb"),
        ("${a}${a}", "11"),
        ("${flag}!", "false!"),
        ("${row}!", '{"k":[1,null]}!'),
        ("$${s}", "${s}"),
        ("$$${s}", "$${s}"),
        ("$${s} ${s}", "${s} x"),
        ("$s {s} $ { } }}", "$s {s} $ { } }}"),
        ("{% if a %}{# no comment #}", "{% if a %}{# no comment #}"),
        ('{"a": {"b": ${a}}}', '{"a": {"b": 1}}'),
        ("{{}} {{1}} {{ }}", "{{}} {{1}} {{ }}"),
        ("${'}'}", "}"),
        ("${'${x}'}!", "${x}!"),
        ("""${"\\"}" ~ '\\'}'}!""", "\"}'}!"),
        ("${{'k': {'d': a}}.k.d}!", "1!"),
        ("${ a }!", "1!"),
        ("\u4e2d${s}\U0001f600", "\u4e2dx\U0001f600"),
        ("line\n${a\n}\nend", "line\n1\nend"),
    ],
)
def test_only_dollar_brace_is_special(source: str, value: str) -> None:
    """Braces in strings and mappings don't close an expression; `$${` writes `${`."""
    assert value_of(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [("${a}", 1), ("${flag}", False), ("${row.k}", [1, None]), ("${none}", None)],
)
def test_a_single_expression_keeps_its_type(source: str, value: object) -> None:
    """Nothing around it, so nothing is rendered."""
    assert parse_text(source).is_single
    assert value_of(source) == value
    assert type(value_of(source)) is type(value)


def test_a_space_around_an_expression_makes_it_text() -> None:
    """Exactly one `${…}` means exactly."""
    assert value_of("${a} ") == "1 "


@pytest.mark.parametrize(
    ("source", "offset", "message", "hint"),
    [
        ("a ${b", 2, "`${` is not closed", "add the `}`; write `$${` for a plain `${`"),
        ("${{'a': 1}", 0, "`${` is not closed", "add the `}`; write `$${` for a plain `${`"),
        ("ab ${it's}", 7, "a text in the expression is not closed", "add the `'`"),
        ("ab ${}", 5, "the expression is empty", "write a name: `${x}`"),
        ("ab ${a} ${b +}", 12, "unexpected end of the expression",
         "finish the expression, or remove what it ends with"),
        ("ab ${ a | upperr }", 10, "there is no filter `upperr`", "did you mean `upper`?"),
        ("$${x} ${a ${b}}", 10, "unexpected `$`", "write the name alone, without `${` and `}`"),
        ("id {{ user.id }}", 3, "an expression is written `${\u2026}`, not `{{ \u2026 }}`",
         "write `${user.id}`"),
        ("{{x|upper}}", 0, "an expression is written `${\u2026}`, not `{{ \u2026 }}`",
         "write `${x|upper}`"),
        ("{{ x", 0, "an expression is written `${\u2026}`, not `{{ \u2026 }}`", "write `${name}`"),
    ],
)  # fmt: skip
def test_a_fault_has_its_offset_in_the_text(
    source: str, offset: int, message: str, hint: str
) -> None:
    """Counted in characters of the scalar's value."""
    with pytest.raises(ExpressionError) as caught:
        parse_text(source)

    assert (caught.value.offset, caught.value.message, caught.value.hint) == (offset, message, hint)


def test_foreign_braces_have_a_slug_of_their_own() -> None:
    """`{{ x }}` is what other tools write."""
    with pytest.raises(ExpressionError) as caught:
        parse_text("/kv/{{ key }}")

    assert caught.value.code is Code.WRONG_BRACES


def test_a_constant_fault_has_its_offset_in_the_text() -> None:
    """Lowering knows where the part stands."""
    with pytest.raises(ExpressionError) as caught:
        parse_text("$${ab} ${s} ${1 + 1 / 0}").lower()

    assert caught.value.offset == 18
    assert caught.value.failed


def test_references_count_from_the_start_of_the_text() -> None:
    """The compiler maps them to line and column."""
    text = parse_text("$${ab} ${s} ${ row.k }")

    assert text.references == (Reference("s", (), 9), Reference("row", ("k",), 15))


def test_constants_are_rendered_once() -> None:
    """A text of constants only is a constant; else neighbours are merged."""
    text = parse_text("http://${host}:${port}/${s}?v=${version}")
    constants = {"host": "h", "port": 80, "version": 1.5}

    parts = text.lower_parts(constants)

    assert (parts[0], parts[2], len(parts)) == ("http://h:80/", "?v=1.5", 3)
    assert callable(parts[1])
    assert parts[1](SCOPE) == "x"
    assert text.lower({**constants, "s": True}).value == "http://h:80/true?v=1.5"
    assert text.lower_parts({**constants, "s": True}) == ("http://h:80/true?v=1.5",)
    assert parse_text("").lower_parts() == ()


def test_a_part_renders_as_text_even_alone() -> None:
    """Whoever takes the parts joins them."""
    (part,) = parse_text("${a}").lower_parts()

    assert not isinstance(part, str)
    assert part(SCOPE) == "1"


def test_what_has_no_text_names_the_expression() -> None:
    """Neither at run time nor when compiling can it be rendered."""
    with pytest.raises(EvaluationError) as caught:
        parse_text("v=${x}").lower().evaluate({"x": float("nan")})
    with pytest.raises(ExpressionError) as folded:
        parse_text("v=${x}").lower({"x": float("nan")})

    assert caught.value.message == "a number can't be written as text in `x`"
    assert folded.value.offset == 4


# --- values -------------------------------------------------------------------------------------

DATA: dict[str, Any] = {
    "title": "note ${s}",
    "count": 3,
    "tags": ["plain", "${a}", {"deep": "${flag}", "static": [1]}],
    "$${kept}": "$${x}",
    "nothing": None,
}


def test_a_value_keeps_its_shape() -> None:
    """Texts inside are rendered, single expressions keep their type, keys are literal."""
    lowered = lower_value(parse_value(DATA))

    assert not lowered.is_constant
    assert lowered.evaluate(SCOPE) == {
        "title": "note x",
        "count": 3,
        "tags": ["plain", 1, {"deep": False, "static": [1]}],
        "$${kept}": "${x}",
        "nothing": None,
    }


def test_each_evaluation_builds_new_containers_around_what_is_dynamic() -> None:
    """A step may change what it got; constant parts are shared."""
    lowered = lower_value(parse_value(DATA))

    first: Any = lowered.evaluate(SCOPE)
    second: Any = lowered.evaluate(SCOPE)

    assert first == second
    assert first is not second
    assert first["tags"] is not second["tags"]
    assert first["tags"][2]["static"] is second["tags"][2]["static"]


def test_a_value_of_constants_is_a_constant() -> None:
    """It can be encoded before the run."""
    lowered = lower_value(parse_value(DATA), {"s": "x", "a": 1, "flag": True})

    assert lowered.is_constant
    assert lowered.value == lowered.evaluate({})


def test_a_fault_in_a_value_has_its_path() -> None:
    """Keys and indices lead to the scalar, the offset into it."""
    with pytest.raises(ExpressionError) as parsing:
        parse_value({"a": [1, {"b": "x ${+}"}]})
    with pytest.raises(ExpressionError) as lowering:
        lower_value(parse_value({"a": [1, {"b": "x ${1/0}"}]}))

    assert parsing.value.path == lowering.value.path == ("a", 1, "b")
    assert (parsing.value.offset, lowering.value.offset) == (4, 4)


# --- properties ---------------------------------------------------------------------------------


@given(st.text())
def test_any_text_can_be_written(text: str) -> None:
    """Escaped, every text is itself."""
    escaped = text.replace("${", "$${")
    if "{{" not in escaped:
        assert value_of(escaped) == text


@given(st.text(alphabet="${}'\"\\ a1|.+[](){%#~:,\n", max_size=60))
def test_any_text_parses_or_says_where_it_is_wrong(source: str) -> None:
    """No other exception, and an offset inside the text."""
    try:
        said = parse_text(source).source
        offset = 0
    except ExpressionError as error:
        said, offset = error.message, error.offset

    assert said or not source
    assert 0 <= offset <= len(source)


@given(st.lists(st.sampled_from(["a", "/", "$${", "\u4e2d", "\n"]), max_size=5), st.integers(0, 5))
def test_offsets_point_at_the_expression(literals: list[str], place: int) -> None:
    """Also behind escapes and wide characters."""
    before, after = "".join(literals[:place]), "".join(literals[place:])

    text = parse_text(f"{before}${{row.k}}{after}")

    (reference,) = text.references
    assert text.source[reference.offset :].startswith("row.k}")


@pytest.mark.parametrize(
    "source",
    [
        "$${" * 330_000,
        "${a}" * 250_000,
        "${" + "'\\" * 400_000,
        "{{ " * 330_000,
        "${" + "{" * 900_000,
        "$" * 1_000_000,
        "{{" + " " * 1_000_000,
        "${'\"'\"'" * 100_000,
        "${" * 300_000,
        "".join(f"${{a{i}}}" for i in range(100_000)),
    ],
)
def test_a_megabyte_of_any_pattern_is_read_at_once(source: str) -> None:
    """No scan is quadratic."""

    def read() -> None:
        with suppress(ExpressionError):
            parse_text(source)

    within_cpu(0.8, read)


def test_the_same_text_is_equal() -> None:
    """Specs with texts can be compared."""
    assert parse_text("/${a}") == parse_text("/${a}")
    assert parse_text("/${a}") != parse_text("/${b}")
    assert parse("a") == parse("a")
