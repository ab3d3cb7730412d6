"""`check(res, {…})` → soft expectations of the request."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.k6.code.calls import NativeCall, predicate
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.values import (
    JsArray,
    JsClass,
    JsConst,
    JsExpr,
    JsFunction,
    JsNative,
    JsObject,
    JsOp,
    JsPart,
    JsReply,
    JsText,
    JsUnknown,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.terms.operators import truth
from planrunner.importers.formats.k6.terms.texts import expression
from planrunner.importers.javascript.expectations import ExpectedReply, NotExpectable
from planrunner.importers.javascript.reply_values import ScriptValue

__all__ = ["CHECKS", "checked", "expect_of"]

_FLIPPED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE: Final = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}
_EACH: Final = "it is expected of each request that it may be about, not only of the last one"
_NOT_OF_REPLY: Final = "a check of something else than the reply: `expect` judges replies"


def _check(call: NativeCall) -> JsValue:
    """Read a check; it gives whether all of it holds."""
    value, listed = call.argument(0), call.argument(1)
    if isinstance(value, JsUnknown):
        raise NoStepSays(value.why)
    if not isinstance(listed, JsObject) or listed.name:
        raise NoStepSays("checks that only the run knows: write them as `expect`")
    held: list[JsValue] = []
    losses: list[str] = []
    for words, test in listed.entries.items():
        found = _predicate(call, test, value)
        held.append(found)
        try:
            expect_of(call, found, value)
        except (NoStepSays, NotExpectable) as fault:
            losses.append(f"`{words}`: {fault}")
    if losses and len(losses) == len(listed.entries):
        raise NoStepSays("; ".join(losses))
    if losses:
        call.change("left out of it: " + "; ".join(losses))
    return checked(held)


def checked(held: list[JsValue]) -> JsOp:
    """Return whether all of a check holds; the second operand says whether all is said."""
    said = [one for one in held if not isinstance(one, JsUnknown) and not _is_timed(one)]
    known = [one for one in said if truth(one) is not True]
    found: JsValue = known[0] if known else JsConst(value=True)
    for one in known[1:]:
        found = JsOp("and", [found, one])
    return JsOp("checked", [found, JsConst(len(said) == len(held))])


def _is_timed(value: JsValue) -> bool:
    """Say whether a value is about the time of a reply, which no expression of a plan has."""
    match value:
        case JsPart(kind=kind):
            return kind in ("time", "ttfb", "connect", "other_time")
        case JsOp(operands=below):
            return any(_is_timed(one) for one in below)
        case _:
            return False


def _predicate(call: NativeCall, test: JsValue, value: JsValue) -> JsValue:
    if isinstance(test, (JsFunction, JsNative, JsClass)):
        try:
            return predicate(test, [value], call.node, call.scope, call.machine)
        except NoStepSays as fault:
            return JsUnknown(fault.why)
    return test


def expect_of(call: NativeCall, test: JsValue, value: JsValue) -> None:
    """Add what a predicate says to what the request expects."""
    if isinstance(test, JsUnknown):
        raise NoStepSays(test.why)
    known = truth(test)
    if known is True:
        return
    reply = _reply_of(test) or (value if isinstance(value, JsReply) else None)
    if reply is None or known is False:
        raise NoStepSays(_NOT_OF_REPLY)
    for one in reply.each:
        _add(call, test, one)
    if any(_runs_before(one, reply, call) for one in reply.others):
        call.change(_EACH)
    call.machine.has_checks = True


def _add(call: NativeCall, test: JsValue, reply: JsReply) -> None:
    body = reply.body
    before = body.get("expect")
    keys: Keys = dict(before) if isinstance(before, dict) else {}
    keys.pop("soft", None)
    expected = (_ExpectedCall if reply.action == "grpc.call" else ExpectedReply)(_copied(keys))
    read_test(test, expected, call, holds=True)
    body["expect"] = {**expected.keys, "soft": True}


def _runs_before(other: JsReply, reply: JsReply, call: NativeCall) -> bool:
    """Say whether a request is sent even where the one is sent that takes its place."""
    way = [name for name, _ in call.machine.way_to(reply.steps)]
    return id(other.steps) in way


class _ExpectedCall(ExpectedReply):
    """What is expected of a call of gRPC, whose statuses have names."""

    def equal(self, value: ScriptValue, wanted: object) -> None:
        """The value is a constant."""
        if value.kind == "status":
            self.keys["status"] = wanted
        else:
            super().equal(value, wanted)

    def one_of(self, value: ScriptValue, wanted: list[object]) -> None:
        """The value is one of several constants."""
        if value.kind == "status":
            self.keys["status"] = wanted
        else:
            super().one_of(value, wanted)


def _copied(keys: Keys) -> Keys:
    return {key: dict(one) if isinstance(one, dict) else one for key, one in keys.items()}


def _reply_of(value: JsValue) -> JsReply | None:
    match value:
        case JsPart(reply=reply):
            return reply
        case JsOp(operands=below) | JsText(parts=below):
            return next((found for one in below if (found := _reply_of(one))), None)
        case _:
            return None


def read_test(test: JsValue, expected: ExpectedReply, call: NativeCall, *, holds: bool) -> None:  # noqa: C901, PLR0912 - a table
    """Add a condition to what is expected of a reply."""
    if isinstance(test, JsPart):
        expected.exists(_script_value(test), is_there=holds)
        return
    if not isinstance(test, JsOp):
        raise NoStepSays(_NOT_OF_REPLY)
    sign, operands = test.sign, test.operands
    if sign == "not":
        read_test(operands[0], expected, call, holds=not holds)
    elif sign == "checked":
        read_test(operands[0], expected, call, holds=holds)
    elif sign == "and" and holds:
        for one in operands:
            if truth(one) is not True:
                read_test(one, expected, call, holds=True)
    elif sign == "or" and holds:
        _either(operands, expected, call)
    elif sign in _FLIPPED:
        _compared(sign if holds else _OPPOSITE[sign], operands, expected, call)
    elif sign == "in":
        _contained(operands, expected, holds=holds)
    elif sign in ("type", "matches", "starts", "ends", "every"):
        _tested(test, expected, holds=holds)
    elif sign == "length" and holds:
        expected.length(_script_value(operands[0]), 1, None)
    else:
        raise NoStepSays("a condition that no expectation says: see `expect`")


def _either(operands: list[JsValue], expected: ExpectedReply, call: NativeCall) -> None:
    """Read `a || b`: several statuses, or a value that may be missing."""
    statuses: list[object] = []
    pending = list(operands)
    while pending:
        one = pending.pop(0)
        if isinstance(one, JsOp) and one.sign == "or":
            pending = [*one.operands, *pending]
        elif isinstance(one, JsOp) and one.sign == "==" and _is_status(one.operands[0]):
            statuses.append(plain(one.operands[1]))
        elif truth(one) is False:
            continue
        elif not statuses and not pending:
            read_test(one, expected, call, holds=True)
            return
        else:
            raise NoStepSays("one of several conditions: no expectation says `or`")
    expected.one_of(ScriptValue("status"), statuses)


def _is_status(value: JsValue) -> bool:
    return isinstance(value, JsPart) and value.kind == "status"


def _compared(
    sign: str, operands: list[JsValue], expected: ExpectedReply, call: NativeCall
) -> None:
    left, right = operands
    if not _reply_of(left):
        left, right, sign = right, left, _FLIPPED[sign]
    if isinstance(left, JsOp) and left.sign == "or":
        left = left.operands[0]
    value = _script_value(left)
    try:
        wanted = plain(right)
    except LookupError:
        if sign != "==" or value.kind not in ("json", "header"):
            raise NoStepSays("a comparison with something that only the run knows") from None
        expected.computed(value, expression(right, call.machine))
        return
    if sign in ("==", "!="):
        _equal(value, wanted, expected, is_not=sign == "!=")
    elif isinstance(wanted, int | float):
        expected.bound(value, sign, wanted)
    else:
        raise NoStepSays("a comparison of texts by their order")


def _equal(value: ScriptValue, wanted: object, expected: ExpectedReply, *, is_not: bool) -> None:
    if (
        (value.kind == "json" and wanted is None)
        or wanted is None
        or (value.kind in ("json", "header") and wanted == "" and is_not)
    ):
        expected.exists(value, is_there=is_not)
    elif value.kind == "body" and wanted == "" and is_not:
        expected.exists(value)
    elif value.kind == "status" and wanted == 0 and is_not:
        expected.statuses(["2xx", "3xx", "4xx", "5xx"])
    elif value.kind == "length" and is_not and wanted == 0 and value.of is not None:
        expected.length(value.of, 1, None)
    elif is_not:
        expected.unequal(value, wanted)
    else:
        expected.equal(value, wanted)


def _contained(operands: list[JsValue], expected: ExpectedReply, *, holds: bool) -> None:
    wanted, value = operands
    if isinstance(wanted, JsPart) and isinstance(value, JsArray):
        items = plain(value)
        if not holds:
            raise NoStepSays("a value that is none of several")
        expected.one_of(_script_value(wanted), items)
        return
    try:
        text = plain(wanted)
    except LookupError:
        raise NoStepSays("a text in the reply that only the run knows: see `contains`") from None
    expected.contains(_script_value(value), text, is_not=not holds)


def _tested(test: JsOp, expected: ExpectedReply, *, holds: bool) -> None:
    value, wanted = _script_value(test.operands[0]), plain(test.operands[1])
    if test.sign == "matches":
        expected.matches(value, str(wanted), is_not=not holds)
    elif not holds:
        raise NoStepSays("a condition that no expectation says: see `expect`")
    elif test.sign == "type":
        expected.type(value, str(wanted))
    else:
        text = re.escape(str(wanted))
        expected.matches(value, f"^{text}" if test.sign == "starts" else f"{text}$")


def _script_value(value: JsValue) -> ScriptValue:
    match value:
        case JsOp(sign="length", operands=[inner]):
            return ScriptValue("length", of=_script_value(inner))
        case JsOp(sign="or" | "string" | "lower" | "int" | "float", operands=[inner, *_]):
            return _script_value(inner)
        case JsPart(kind="json", path=path):
            return ScriptValue("json", path)
        case JsPart(kind="header" | "cookie", path=path):
            return ScriptValue(value.kind, name=str(path[0]))
        case JsPart(kind="status" | "body" | "time" | "reason"):
            return ScriptValue(value.kind)
        case JsPart(kind=kind):
            raise NoStepSays(f"the {kind} of a reply: no expectation reads it")
        case JsExpr():
            raise NoStepSays(_NOT_OF_REPLY)
        case _:
            raise NoStepSays("something computed from the reply: no expectation says it")


CHECKS: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    "k6.check": _check,
    "utils.check": _check,
}
