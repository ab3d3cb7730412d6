"""What the values of step actions can hold: `foreach`, `call`, `python`, `exec`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias, cast

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import RESERVED, Expression, ExpressionError, parse
from planrunner.language.fields.mapping import Fault, PlanMapping, error, later
from planrunner.language.fields.reading import ReadBy
from planrunner.language.fields.types import read_value
from planrunner.late_pattern import late_pattern
from planrunner.values import dataclass

__all__ = [
    "CallField",
    "ExecField",
    "FlowCall",
    "Foreach",
    "ForeachField",
    "HttpScopeField",
    "OnErrorField",
    "PythonField",
    "check_name",
]

if TYPE_CHECKING:
    from planrunner.protocols.exec.spec import ExecModel
    from planrunner.protocols.python.spec import PythonModel

    ExecField: TypeAlias = ExecModel
    HttpScopeField: TypeAlias = PlanMapping
    PythonField: TypeAlias = PythonModel
else:
    ExecField = later("planrunner.protocols.exec.spec", "ExecModel")
    HttpScopeField = later("planrunner.protocols.http.spec_settings", "HttpScope")
    PythonField = later("planrunner.protocols.python.spec", "PythonModel")

_NAME: Final = late_pattern(r"[A-Za-z_][A-Za-z0-9_]*")

OnErrorField = Literal["continue", "stop_iteration", "stop_user"]


def check_name(name: object, key: str = "") -> None:
    """Raise what is wrong with a name that a step sets."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise error(
            Fault(
                Code.INVALID_VALUE,
                f"`{name}` can't be used in expressions",
                "use letters, digits and `_`",
                key,
            )
        )
    if name in RESERVED:
        raise error(
            Fault(
                Code.RESERVED_NAME,
                f"`{name}` is a name that planrunner reserves",
                "choose another name",
                key,
            )
        )


@dataclass(frozen=True, slots=True)
class Foreach:
    """Run steps once for each element.

    Attributes:
        variable: The name that holds the element.
        offset: Where `items` starts in the text of the step, in characters.
    """

    variable: str
    items: Expression
    offset: int


_FOREACH: Final = late_pattern(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s+in\s+(?=\S)")


def _read_foreach(data: object) -> Foreach:
    head = _FOREACH.match(data) if isinstance(data, str) else None
    if head is None or not isinstance(data, str):
        raise error(
            Fault(
                Code.INVALID_VALUE,
                f"`{data}` is not a loop",
                "write a name, `in` and a list: `foreach: id in created`",
            )
        )
    check_name(head[1])
    try:
        items = parse(data[head.end() :])
    except ExpressionError as failed:
        raise error(
            Fault(Code.EXPRESSION_SYNTAX, failed.message, failed.hint),
            offset=head.end() + (failed.offset or 0),
        ) from None
    return Foreach(head[1], items, head.end())


ForeachField = Annotated[
    Foreach,
    ReadBy(
        _read_foreach,
        {
            "$loop": True,
            "type": "string",
            "pattern": r"^\s*[A-Za-z_][A-Za-z0-9_]*\s+in\s+\S",
            "patternErrorMessage": "write a name, `in` and a list: `id in created`",
        },
    ),
]


@dataclass(frozen=True, slots=True)
class FlowCall:
    """Run the steps of a flow.

    Attributes:
        arguments: Values of its `args`; what `parse_value` gives.
        target: The name that gets what the flow has set; empty when nothing does.
    """

    flow: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""


def _read_call(data: object) -> FlowCall:
    if isinstance(data, str) and data:
        return FlowCall(data)
    if isinstance(data, dict) and isinstance(data.get("flow"), str) and data["flow"]:
        if "as" in data:
            check_name(data["as"], "as")
        arguments = {key: data[key] for key in data if key not in ("flow", "as")}
        for name in arguments:
            check_name(name, name)
        values = cast("Mapping[str, Any]", read_value(arguments))
        return FlowCall(data["flow"], values, data.get("as", ""))
    raise error(
        Fault(
            Code.INVALID_VALUE,
            "`call` needs the name of a flow",
            "write `call: login`, or `call: {flow: login, role: admin}` with values of its `args`",
        )
    )


CallField = Annotated[
    FlowCall,
    ReadBy(
        _read_call,
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "title": "call",
                    "required": ["flow"],
                    "properties": {
                        "flow": {
                            "type": "string",
                            "minLength": 1,
                            "markdownDescription": "The flow's name.",
                        },
                        "as": {
                            "type": "string",
                            "markdownDescription": "The variable that stores what the flow sets "
                            "and extracts, by name.",
                        },
                    },
                    "additionalProperties": {
                        "markdownDescription": "The value of one of the flow's `args`."
                    },
                },
            ]
        },
    ),
]
