"""Conditions on a reply as expressions that are read with it: in `tags` and `record`."""

from __future__ import annotations

from typing import Final

from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.values import (
    JsArray,
    JsConst,
    JsExpr,
    JsOp,
    JsPart,
    JsReply,
    JsValue,
)
from planrunner.importers.formats.k6.terms.texts import expression, json_name

__all__ = ["reply_expression"]

_COMPARED: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_NOT_ON_REPLY: Final = "a condition on something else than the reply: `record` it at a request"


def reply_expression(  # noqa: PLR0911 - a table
    value: JsValue, reply: JsReply, machine: K6Machine, *, partly: bool = False
) -> str:
    """Return a condition as an expression about `status`, `headers`, `body` and `json`.

    Args:
        value: The condition.
        reply: That it is about.
        machine: Of the reading.
        partly: What a check says of times may be missing.

    Raises:
        NoStepSays: It is about more than this reply.
    """
    match value:
        case JsPart():
            return _part(value, reply, "none")
        case JsOp(sign="not", operands=[inner]):
            return f"not ({reply_expression(inner, reply, machine, partly=partly)})"
        case JsOp(sign="checked", operands=[inner, JsConst(value=is_whole)]) if is_whole or partly:
            return reply_expression(inner, reply, machine, partly=partly)
        case JsOp(sign="and" | "or" as sign, operands=[left, right]):
            both = (reply_expression(one, reply, machine, partly=partly) for one in (left, right))
            return f" {sign} ".join(f"({one})" for one in both)
        case JsOp(sign=sign, operands=[left, right]) if sign in _COMPARED:
            return _compared(sign, left, right, reply, machine)
        case JsOp(sign="in", operands=[left, right]):
            return f"{_operand(left, reply, machine)} in {_operand(right, reply, machine, '')}"
        case JsOp(sign="length"):
            return f"{_operand(value, reply, machine)} > 0"
        case _:
            return _operand(value, reply, machine)


def _compared(sign: str, left: JsValue, right: JsValue, reply: JsReply, machine: K6Machine) -> str:
    if sign in ("==", "!=") and isinstance(right, JsConst) and right.value is None:
        return f"{_operand(left, reply, machine)} is {'' if sign == '==' else 'not '}none"
    missing = "none" if sign in ("==", "!=") else "0"
    shown = (_operand(one, reply, machine, missing) for one in (left, right))
    return f" {sign} ".join(shown)


def _operand(value: JsValue, reply: JsReply, machine: K6Machine, missing: str = "none") -> str:
    match value:
        case JsPart():
            return _part(value, reply, missing)
        case JsOp(sign="length", operands=[JsPart() as inner]):
            return f"({_part(inner, reply, '[]')} | length)"
        case JsConst() | JsArray(name=""):
            return expression(value, machine)
        case JsExpr(text=text, draws=False) if _is_lasting(text, machine):
            return text
        case _:
            raise NoStepSays(_NOT_ON_REPLY)


def _is_lasting(text: str, machine: K6Machine) -> bool:
    return text in machine.params or text in ("user.id", "user.iteration", "iteration")


def _part(part: JsPart, reply: JsReply, missing: str) -> str:
    if part.reply is not reply:
        raise NoStepSays(_NOT_ON_REPLY)
    if part.kind in ("status", "body"):
        return part.kind
    if part.kind == "header" and part.path:
        return f"(headers['{part.path[0]}'] | default(none))"
    if part.kind == "json":
        return f"({json_name(part.path)} | default({missing or repr(missing)}))"
    raise NoStepSays(f"a condition on the {part.kind} of a reply")
