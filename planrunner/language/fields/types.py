"""Types of the values in a plan, for pydantic: what each accepts, its schema and its messages.

A scalar with `${…}` where a number or unit is wanted becomes `Deferred`: only the compiler, which
knows the params, can compute its value. Every fault is a `PydanticCustomError` whose type is a
diagnostic's code and whose context has `message`, `hint` and `offset` (into the scalar).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Final

from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.builtins.names import foreign_hint
from planrunner.language.expressions.expression import RESERVED, Expression, ExpressionError
from planrunner.language.expressions.expression import parse as parse_expression
from planrunner.language.expressions.values import kind_of
from planrunner.language.fields.deferred import KINDS, Deferred
from planrunner.language.fields.pauses import PAUSE_PATTERN, PauseValue
from planrunner.language.fields.reading import ReadBy
from planrunner.language.fields.text import PlanValue, Text, parse_text, parse_value
from planrunner.units import Rate, UnitError

if TYPE_CHECKING:
    from pydantic_core import PydanticCustomError, PydanticKnownError

__all__ = [
    "Count",
    "Deferred",
    "Duration",
    "DurationRange",
    "ExprField",
    "Flag",
    "MetricName",
    "NameField",
    "PauseValue",
    "Percent",
    "PositiveInt",
    "RateField",
    "SeriesName",
    "Size",
    "TextField",
    "ValueField",
    "VariableName",
    "choice",
    "read_expression",
    "read_value",
]


# --- from YAML ----------------------------------------------------------------------------------


def _fault(
    code: Code, message: str, hint: str = "", offset: int | None = None
) -> PydanticCustomError:
    from pydantic_core import PydanticCustomError  # noqa: PLC0415 - most plans have no faults

    context: dict[str, Any] = {"message": message, "hint": hint}
    if offset is not None:
        context["offset"] = offset
    return PydanticCustomError(code.value, "{message}", context)


def _known(kind: Any, context: dict[str, Any] | None = None) -> PydanticKnownError:  # noqa: ANN401 - one of pydantic's words
    from pydantic_core import PydanticKnownError  # noqa: PLC0415 - as above

    return PydanticKnownError(kind, context)


def _from(error: PlanrunnerError) -> PydanticCustomError:
    if isinstance(error, ExpressionError):
        return _fault(error.code, error.message, error.hint, error.offset)
    return _fault(Code.INVALID_UNIT, error.message, error.hint)


def _wrong_type(word: str, value: object, hint: str = "") -> PydanticCustomError:
    return _fault(Code.WRONG_TYPE, f"expected {word}, found {kind_of(value)}", hint)


def _scalar(name: str, schema: Mapping[str, object]) -> ReadBy:
    kind = KINDS[name]
    refused = Code.INVALID_VALUE if name in ("positive_int", "count") else Code.INVALID_UNIT

    def validate(value: object) -> object:
        if isinstance(value, Rate) and name == "rate":
            return value  # an option's, which no text gives exactly
        try:
            if isinstance(value, str):
                return _parse_scalar(value, name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return kind.number(value) if kind.bare else kind.parse(str(value))
        except UnitError as error:
            raise _fault(refused, error.message, error.hint) from None
        except ExpressionError as error:
            raise _from(error) from None
        raise _wrong_type(kind.word, value, f"write `{kind.example}`")

    return ReadBy(validate, schema)


def _parse_scalar(value: str, name: str) -> object:
    if "{" in value:
        text = parse_text(value)
        if not text.is_constant:
            return Deferred(text, name)
    return KINDS[name].parse(value)


def _flag(value: object) -> bool | Deferred:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and "${" in value:
        text = _text(value)
        if not text.is_constant:
            return Deferred(text, "flag")
    raise _known("bool_type")


def _text(value: object) -> Text:
    if isinstance(value, str):
        try:
            return parse_text(value)
        except ExpressionError as error:
            raise _from(error) from None
    if isinstance(value, bool) or value is None or not isinstance(value, int | float):
        raise _wrong_type("text", value, "write it in quotes" if isinstance(value, bool) else "")
    return parse_text(str(value))


def choice(*words: str) -> ReadBy:
    """Return what marks a `Text` that is one of some words, or an expression that gives one."""

    def read(value: object) -> Text:
        text = _text(value)
        if text.is_constant and value not in words:
            expected = ", ".join(f"'{word}'" for word in words)
            raise _known("literal_error", {"expected": expected})
        return text

    expression = {"type": "string", "pattern": _HAS_EXPRESSION}
    return ReadBy(read, {"anyOf": [{"enum": [*words]}, expression]})


def read_value(value: object) -> PlanValue:
    """Parse a value; reports every faulty text in it, each at its own place."""
    faults: list[Any] = []
    parsed = _parse_collecting(value, (), faults)
    if faults:
        from pydantic_core import ValidationError  # noqa: PLC0415 - as above

        raise ValidationError.from_exception_data("value", faults)
    return parsed


def _parse_collecting(value: object, path: tuple[str | int, ...], faults: list[Any]) -> PlanValue:
    if isinstance(value, Mapping):
        return {key: _parse_collecting(item, (*path, key), faults) for key, item in value.items()}
    if isinstance(value, list):
        return [_parse_collecting(item, (*path, at), faults) for at, item in enumerate(value)]
    if isinstance(value, float) and not isfinite(value):
        fault = _fault(Code.INVALID_VALUE, f"`{value}` is not a value that can be sent")
        faults.append({"type": fault, "loc": path, "input": value})
        return None
    try:
        return parse_value(value)
    except ExpressionError as error:
        faults.append({"type": _from(error), "loc": path, "input": value})
        return None


def read_expression(value: object) -> Expression:
    """Parse an expression that stands without `${` and `}`."""
    if isinstance(value, bool):
        return parse_expression("true" if value else "false")
    if isinstance(value, int | float):
        return parse_expression(str(value))
    if not isinstance(value, str):
        raise _wrong_type("an expression", value, "write it in quotes")
    if value.lstrip().startswith("${"):
        inner = value.strip().removeprefix("${")
        bare = inner.removesuffix("}") if "${" not in inner else "a == 'b'"
        raise _fault(
            Code.EXPRESSION_SYNTAX,
            "an expression belongs here without `${` and `}`",
            _bare_hint(bare.strip()),
            value.index("${"),
        )
    try:
        return parse_expression(value)
    except ExpressionError as error:
        if value.startswith("$."):
            error.hint = f"write `json{value[1:]}`: a JSONPath belongs to `extract`"
        raise _from(error) from None


def _bare_hint(bare: str) -> str:
    """Return what to write for an expression that stood in `${}`, whose names may be unknown."""
    try:
        references = parse_expression(bare).references
    except ExpressionError as error:
        return error.hint or "write an expression such as `a == 'b'`"
    foreign = (foreign_hint(reference.root, reference.path) for reference in references)
    return next(filter(None, foreign), "") or f"write `{bare}`"


def _series_name(value: object) -> Text:
    text = _text(value)
    if not text.source:
        raise _fault(Code.INVALID_VALUE, "a name can't be empty")
    return text


_MAX_NAME: Final = 200
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _name(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise _wrong_type("a name", value)
    if not value.strip():
        raise _fault(Code.INVALID_VALUE, "a name can't be empty")
    if len(value) > _MAX_NAME or not value.isprintable():
        raise _fault(
            Code.INVALID_VALUE, "a name is one line of up to 200 characters", "shorten the name"
        )
    return value


def _variable_name(value: object) -> str:
    name = _name(value)
    if not _VARIABLE.fullmatch(name):
        fixed = re.sub(r"\W", "_", name, flags=re.ASCII)
        hint = f"write `{fixed}`" if _VARIABLE.fullmatch(fixed) else ""
        raise _fault(Code.INVALID_VALUE, f"`{name}` can't be used in expressions", hint)
    if name in RESERVED:
        raise _fault(
            Code.RESERVED_NAME,
            f"`{name}` is a name that planrunner reserves",
            "choose another name",
        )
    return name


def _metric_name(value: object) -> str:
    name = _name(value)
    if not _VARIABLE.fullmatch(name):
        fixed = re.sub(r"\W", "_", name, flags=re.ASCII)
        hint = f"write `{fixed}`" if _VARIABLE.fullmatch(fixed) else ""
        raise _fault(Code.INVALID_VALUE, f"`{name}` can't be the name of a metric", hint)
    return name


# --- schemas: simple enough that an editor can show them ----------------------------------------

_HAS_EXPRESSION: Final = r"\$\{"


def _unit(pattern: str, message: str, description: str) -> dict[str, object]:
    return {
        "type": "string",
        "pattern": rf"^({pattern})$|{_HAS_EXPRESSION}",
        "patternErrorMessage": message,
        "description": description,
    }


def _number(least: int, description: str) -> dict[str, object]:
    expression = {
        "type": "string",
        "pattern": _HAS_EXPRESSION,
        "patternErrorMessage": "Write a whole number, or an expression: ${users}",
    }
    integer = {"type": "integer", "minimum": least}
    return {"anyOf": [integer, expression], "description": description}


Duration = Annotated[
    int | Deferred,
    _scalar(
        "duration",
        _unit(
            r"0|([0-9]+(\.[0-9]+)?(h|ms|m|us|s|ns))+",
            "Write a duration: 250ms, 30s, 5m, 1h30m",
            "A duration: `250ms`, `30s`, `5m`, `1h30m`.",
        ),
    ),
]
"""ns."""

RateField = Annotated[
    Rate | Deferred,
    _scalar(
        "rate",
        _unit(
            r"[0-9]+(\.[0-9]+)?/(h|ms|m|us|s|ns)",
            "Write a rate: 100/s, 30/m",
            "A rate: `100/s`, `30/m`.",
        ),
    ),
]

Size = Annotated[
    int | Deferred,
    _scalar(
        "size",
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {
                    "type": "string",
                    "pattern": r"^[0-9]+(\.[0-9]+)?(B|[KMGT]i?B)?$|" + _HAS_EXPRESSION,
                    "patternErrorMessage": "Write a size: 500B, 1KB, 2MiB",
                },
            ],
            "description": "A size: `500B`, `1KB` (1000 bytes), `2MiB` (1024 × 1024 each).",
        },
    ),
]
"""Bytes."""

Percent = Annotated[
    float | Deferred,
    _scalar(
        "percent",
        _unit(
            r"[0-9]+(\.[0-9]+)?%",
            "Write a percentage: 1%, 0.5%",
            "A percentage: `1%`, `0.5%`.",
        ),
    ),
]
"""A fraction: `1%` is 0.01."""

DurationRange = Annotated[
    PauseValue | Deferred,
    _scalar(
        "pause",
        _unit(
            PAUSE_PATTERN,
            "Write a duration or a range: 2s, 1s..3s, normal(2s, 500ms)",
            "A duration, a range `1s..3s`, or `normal(mean, deviation)`, `exponential(mean)`, "
            "`pareto(minimum, shape)`.",
        ),
    ),
]

PositiveInt = Annotated[int | Deferred, _scalar("positive_int", _number(1, "1 or more."))]
Count = Annotated[int | Deferred, _scalar("count", _number(0, "0 or more."))]

Flag = Annotated[
    bool | Deferred,
    ReadBy(
        _flag,
        {
            "anyOf": [
                {"type": "boolean"},
                {
                    "type": "string",
                    "pattern": _HAS_EXPRESSION,
                    "patternErrorMessage": "Write true, false, or an expression: ${verify}",
                },
            ]
        },
    ),
]

TextField = Annotated[
    Text,
    ReadBy(_text, {"type": ["string", "number"], "description": "Text; `${…}` inserts a value."}),
]

ValueField = Annotated[
    Any,
    ReadBy(read_value, {"description": "Any value; `${…}` in its texts inserts values."}),
]
"""What `parse_value` gives; lower it with `lower_value`."""

ExprField = Annotated[
    Expression,
    ReadBy(
        read_expression,
        {
            "$expression": True,
            "type": ["string", "boolean", "number"],
            "description": "An expression, without `${…}`: `status == 200 and json.items`.",
        },
    ),
]

_NAME_SCHEMA: Final = {"type": ["string", "number"], "minLength": 1, "maxLength": _MAX_NAME}

NameField = Annotated[str, ReadBy(_name, _NAME_SCHEMA)]
"""Of a task, phase, user class …: one line of any characters."""

SeriesName = Annotated[
    Text,
    ReadBy(_series_name, {"type": ["string", "number"], "minLength": 1}),
]
"""Of a request: any text, which may have expressions."""

VariableName = Annotated[
    str,
    ReadBy(_variable_name, {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}),
]
"""Of a param, variable or data source: what expressions can name."""

MetricName = Annotated[
    str,
    ReadBy(_metric_name, {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}),
]
"""Of a metric of the plan's own: what follows `metric.` in thresholds."""
