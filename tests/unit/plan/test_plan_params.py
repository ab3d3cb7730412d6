"""Where params get their values, and what is said about values they can't have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.language.diagnostics import Code, Diagnostic, render
from planrunner.plan.models.params import ParamModel
from planrunner.plan.params.resolve import Param, ParamSource, ParamSources, resolve_params
from planrunner.plan.params.values import ParamValueError, as_expressions_see, from_text, from_yaml
from planrunner.plan.yaml.document import parse
from planrunner.units import NS_PER_S, Rate, seconds_to_ns


def resolve(
    params: str,
    *,
    environments: str = "{}",
    overrides: dict[str, str] | None = None,
    environment: str | None = None,
    environ: dict[str, str] | None = None,
    need_secrets: bool = False,
) -> tuple[dict[str, Param], list[Diagnostic]]:
    document = parse(f"params: {params}\nenvironments: {environments}\n", "plan.yaml")
    models = {
        name: ParamModel.model_validate(data) for name, data in document.data["params"].items()
    }
    sources = ParamSources(overrides or {}, environment, environ or {}, need_secrets)
    return resolve_params(models, document.data["environments"], sources, document)


def value_of(params: str, name: str = "p", **settings: object) -> tuple[object, ParamSource]:
    resolved, faults = resolve(params, **settings)  # type: ignore[arg-type]
    assert faults == []
    return resolved[name].value, resolved[name].source


def fault_of(params: str, **settings: object) -> Diagnostic:
    _resolved, faults = resolve(params, **settings)  # type: ignore[arg-type]
    [fault] = faults
    return fault


# -- precedence

EVERYWHERE = "{p: {type: int, default: 4, env: P}}"
ENVIRONMENTS = "{staging: {p: 2}, local: {}}"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"overrides": {"p": "1"}, "environment": "staging", "environ": {"P": "3"}},
            (1, ParamSource.OVERRIDE),
        ),
        ({"environment": "staging", "environ": {"P": "3"}}, (2, ParamSource.ENVIRONMENT)),
        ({"environment": "local", "environ": {"P": "3"}}, (3, ParamSource.VARIABLE)),
        ({"environ": {"P": "3"}}, (3, ParamSource.VARIABLE)),
        ({"environ": {"P": ""}}, (4, ParamSource.DEFAULT)),
        ({}, (4, ParamSource.DEFAULT)),
    ],
)
def test_the_nearest_source_wins(settings: dict[str, object], expected: object) -> None:
    """--set, then the chosen environment, then the variable (unless empty), then the default."""
    assert value_of(EVERYWHERE, environments=ENVIRONMENTS, **settings) == expected


def test_a_faulty_value_is_not_replaced_by_one_that_counts_less() -> None:
    """A run with the default because `--set` had a typo would be another test."""
    resolved, faults = resolve(EVERYWHERE, overrides={"p": "x"})

    assert [fault.code for fault in faults] == [Code.INVALID_PARAM]
    assert resolved["p"] == Param(None, None, ParamSource.OVERRIDE, type="int")


# -- types


@pytest.mark.parametrize(
    ("kind", "text", "value", "exact"),
    [
        ("int", "-5", -5, -5),
        ("float", "1e3", 1000.0, 1000.0),
        ("bool", "Yes", True, True),
        ("bool", "0", False, False),
        ("str", "", "", ""),
        ("url", "https://[::1]:80/x", "https://[::1]:80/x", "https://[::1]:80/x"),
        ("duration", "1m30s", 90, 90 * NS_PER_S),
        ("duration", "250ms", 0.25, NS_PER_S // 4),
        ("size", "1KiB", 1024, 1024),
        ("rate", "30/m", 0.5, Rate(30, 60 * NS_PER_S)),
        ("rate", "100/s", 100, Rate(100, NS_PER_S)),
        ("percent", "5%", 0.05, 0.05),
        ("list", "a, b", ["a", "b"], ["a", "b"]),
        ("list", '["a", 1]', ["a", 1], ["a", 1]),
        ("list", "", [], []),
    ],
)
def test_text_from_outside_becomes_a_typed_value(
    kind: str, text: str, value: object, exact: object
) -> None:
    """Exactly for the engine; in seconds, bytes, per second, fractions for expressions."""
    resolved, faults = resolve(f"{{p: {{type: {kind}}}}}", overrides={"p": text})

    assert faults == []
    assert (resolved["p"].value, resolved["p"].exact) == (value, exact)
    assert type(resolved["p"].value) is type(value)


@pytest.mark.parametrize(
    ("kind", "written", "exact"),
    [
        ("int", "5", 5),
        ("float", "5", 5.0),
        ("bool", "true", True),
        ("str", "'5'", "5"),
        ("duration", "30s", 30 * NS_PER_S),
        ("duration", "0", 0),
        ("size", "1000", 1000),
        ("list", "[1, a]", [1, "a"]),
        ("int", "null", None),
    ],
)
def test_yaml_values_keep_their_type(kind: str, written: str, exact: object) -> None:
    """The default and the environments' values are YAML, not text."""
    resolved, faults = resolve(f"{{p: {{type: {kind}, default: {written}}}}}")

    assert faults == []
    assert resolved["p"].exact == exact


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("int", "'5'"),
        ("int", "1.5"),
        ("int", "true"),
        ("float", ".nan"),
        ("float", ".inf"),
        ("bool", "yes"),
        ("bool", "1"),
        ("str", "5"),
        ("url", "localhost:8000"),
        ("url", "'http://a b'"),
        ("url", "'http://x:99999'"),
        ("duration", "30"),
        ("duration", "5 sec"),
        ("size", "1kilo"),
        ("size", "-1"),
        ("rate", "5"),
        ("percent", "5"),
        ("list", "a"),
        ("list", "{a: 1}"),
    ],
)
def test_a_default_of_another_type_is_a_fault_at_the_default(kind: str, written: str) -> None:
    """Even when something else sets the param: the plan itself is wrong."""
    text = f"{{p: {{type: {kind}, default: {written}}}}}"
    column = len("params: ") + text.index("default: ") + len("default: ") + 1

    _resolved, faults = resolve(text)

    assert [(fault.code, fault.span.line) for fault in faults] == [(Code.INVALID_PARAM, 1)]
    assert faults[0].span.column == column
    assert faults[0].message.startswith("`p`: ")


def test_values_of_environments_that_are_not_chosen_are_checked_too() -> None:
    """A wrong staging value is found before the day it is needed."""
    fault = fault_of(EVERYWHERE, environments="{staging: {p: x}, local: {p: 1}}")

    assert (fault.code, fault.span.line) == (Code.INVALID_PARAM, 2)


def test_values_from_outside_say_where_they_come_from() -> None:
    """They stand in no file, so the message names the option or the variable."""
    override = fault_of(EVERYWHERE, overrides={"p": "x"})
    variable = fault_of(EVERYWHERE, environ={"P": "x"})

    assert override.message == "`p` from `--set`: must be a whole number, got the text `x`"
    assert variable.message.startswith("`p` from the environment variable `P`: ")
    assert str(override.span) == "plan.yaml:1:10"


# -- limits


@pytest.mark.parametrize(
    ("param", "reason"),
    [
        ("type: str, choices: [red, blue], default: rd", "must be one of `red`, `blue`"),
        ("type: duration, min: 1s, default: 999ms", "must be at least `1s`"),
        ("type: rate, max: 100/m, default: 2/s", "must be at most `100/m`"),
        ("type: size, max: 1KB, default: 1KiB", "must be at most `1KB`"),
        ("type: int, min: 0, default: -1", "must be at least `0`"),
        ("type: duration, choices: [1m, 2m], default: 60s", ""),
        ("type: rate, max: 60/m, default: 1/s", ""),
    ],
)
def test_choices_and_limits_compare_values_not_their_spelling(param: str, reason: str) -> None:
    """60s is 1m, and 1/s is not more than 60/m."""
    _resolved, faults = resolve(f"{{p: {{{param}}}}}")

    assert [fault.message for fault in faults] == ([f"`p`: {reason}"] if reason else [])


def test_limits_are_checked_against_the_type_themselves() -> None:
    """A wrong choice is shown at the choice."""
    fault = fault_of("{p: {type: rate, choices: [5/s, 10], default: 5/s}}")

    assert fault.code is Code.INVALID_PARAM
    assert fault.source[fault.span.column - 1 :].startswith("10]")


# -- missing and secret

SECRET = "{p: {type: str, secret: true, env: KEY}}"


def test_a_param_without_default_is_required() -> None:
    """The hint names every way to give it a value."""
    fault = fault_of("{p: {type: int, env: PORT}}")

    assert fault.code is Code.MISSING_PARAM
    assert "--set p=…" in fault.hint
    assert "`PORT`" in fault.hint


def test_a_null_default_makes_it_optional() -> None:
    """`when: p` is false then."""
    assert value_of("{p: {type: int, default: null}}") == (None, ParamSource.DEFAULT)


def test_only_a_run_needs_secrets() -> None:
    """A plan can be looked at without them."""
    assert value_of(SECRET) == (None, ParamSource.MISSING)
    assert fault_of(SECRET, need_secrets=True).code is Code.MISSING_PARAM
    assert value_of(SECRET, need_secrets=True, environ={"KEY": "k"})[0] == "k"


def test_a_secret_is_never_shown() -> None:
    """Not in a message about it, not in a repr."""
    param = "{p: {type: int, secret: true, min: 10}}"
    resolved, faults = resolve(param, overrides={"p": "hunter2"})
    too_small, more = resolve(param, overrides={"p": "7"})

    assert [fault.message for fault in faults] == ["`p` from `--set`: the value is not a valid int"]
    assert "hunter2" not in "".join(map(render, faults)) + repr(resolved)
    assert "7" not in more[0].message + more[0].hint + repr(too_small)


# -- names


def test_a_name_that_the_plan_does_not_have_is_surely_a_slip() -> None:
    """On the command line, as an environment, and in an environment's block."""
    override = fault_of(EVERYWHERE, overrides={"pp": "1"})
    environment = fault_of(EVERYWHERE, environments=ENVIRONMENTS, environment="stagin")
    nothing = fault_of("{}", overrides={"x": "1"})
    block = fault_of("{base_url: {type: str, default: x}}", environments="{a: {base_ur: y}}")

    assert [fault.code for fault in (override, environment, nothing, block)] == [
        Code.UNKNOWN_NAME
    ] * 4
    assert environment.hint == "did you mean `staging`?"
    assert block.hint == "did you mean `base_url`?"
    assert nothing.hint == "the plan has no `params:`"


def test_an_environment_can_bring_names_of_its_own() -> None:
    """They have no type; without the environment they don't exist."""
    blocks = "{staging: {region: eu, replicas: 3}}"

    resolved, faults = resolve("{}", environments=blocks, environment="staging")

    assert faults == []
    assert {name: param.value for name, param in resolved.items()} == {
        "region": "eu",
        "replicas": 3,
    }
    assert resolve("{}", environments=blocks)[0] == {}


# -- anything at all


@given(st.integers(0, 50 * 24 * 3600 * NS_PER_S))
def test_a_duration_survives_the_way_through_an_expression(ns: int) -> None:
    """`hold: ${hold}` is exact to the nanosecond for 50 days."""
    seconds = as_expressions_see(ns, "duration")

    assert seconds_to_ns(seconds) == ns  # type: ignore[arg-type]


KINDS = st.sampled_from(
    ["int", "float", "bool", "str", "url", "duration", "size", "rate", "percent", "list"]
)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(KINDS, DATA, st.text(max_size=20))
def test_any_value_is_taken_or_refused_with_a_message(kind, data: object, text: str) -> None:
    """Never another exception."""
    messages = []
    for read, value in ((from_yaml, data), (from_text, text)):
        try:
            read(kind, value)
        except ParamValueError as error:
            messages.append(error.message)

    assert all(messages)


# -- values made of others


ABOVE = "host: {type: str, default: shop}, wait: {type: duration, default: 1500ms}"


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ('{type: url, default: "http://${host}:80"}', "http://shop:80"),
        ('{type: str, default: "${1 + 1}"}', "2"),
        ('{type: str, default: "$${host}"}', "${host}"),
        ('{type: int, default: "${host | length}"}', 4),
        ('{type: duration, default: "${wait * 2}"}', 3),
        ('{type: list, default: ["${host}", b]}', ["shop", "b"]),
        ('{type: str, default: shop, choices: ["${host}"]}', "shop"),
    ],
)
def test_a_value_is_made_of_the_params_above(param: str, expected: object) -> None:
    """It has its own type in the end."""
    assert value_of(f"{{{ABOVE}, p: {param}}}") == (expected, ParamSource.DEFAULT)


def test_a_value_follows_what_is_set_from_outside() -> None:
    """What comes from outside is text as it is."""
    params = '{a: {type: str, default: x}, p: {type: str, default: "<${a}>"}}'

    assert value_of(params, overrides={"a": "${b}"}) == ("<${b}>", ParamSource.DEFAULT)


def test_environments_are_made_of_params_too() -> None:
    """Also what only they name."""
    params = "{a: {type: str, default: x}, p: {type: str, default: y}}"
    settings = {"environments": "{e: {a: z, p: '${a}1', q: '${p}2'}}", "environment": "e"}

    assert value_of(params, **settings) == ("z1", ParamSource.ENVIRONMENT)
    assert value_of(params, "q", **settings) == ("z12", ParamSource.ENVIRONMENT)


@pytest.mark.parametrize(
    ("param", "code", "message", "column"),
    [
        ('{type: str, default: "${q}"}', Code.UNKNOWN_NAME, "`q` has no value here", 37),
        ('{type: str, default: "${p}"}', Code.UNKNOWN_NAME, "`p` has no value here", 37),
        ('{type: str, default: "${now()}"}', Code.EXPRESSION_FAILED, "known before the run", 35),
        ('{type: int, default: "${1"}', Code.EXPRESSION_SYNTAX, "not closed", 35),
        ('{type: int, default: "${1.5}"}', Code.INVALID_PARAM, "must be a whole number", 34),
        ('{type: duration, default: "${[]}"}', Code.EXPRESSION_FAILED, "must be a duration", 40),
        ('{type: int, default: "${5}", max: 4}', Code.INVALID_PARAM, "at most `4`", 34),
    ],
)
def test_a_value_that_cannot_be_made_is_a_fault(
    param: str, code: Code, message: str, column: int
) -> None:
    """It says where, and reads nothing that stands below."""
    fault = fault_of(f"{{p: {param}, q: {{type: int, default: 1}}}}")

    assert (fault.code, fault.span.column) == (code, column)
    assert message in fault.message


def test_a_value_made_of_a_secret_is_one() -> None:
    """Neither it nor what is wrong with it shows the secret."""
    secret = "s: {type: str, secret: true, default: hush}"
    resolved, _ = resolve(f"{{{secret}, p: {{type: str, default: 'x-${{s}}'}}}}")
    fault = fault_of(f"{{{secret}, p: {{type: int, default: '${{s}}'}}}}")

    assert (resolved["p"].value, resolved["p"].secret) == ("x-hush", True)
    assert "hush" not in f"{fault.message} {fault.hint}"
