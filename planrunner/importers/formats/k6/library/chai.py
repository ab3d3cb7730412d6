"""`describe` and `expect` in the words of chai and of Jest → groups and soft expectations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.objects import JsExpectation
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsFunction,
    JsNative,
    JsObject,
    JsOp,
    JsPart,
    JsReply,
    JsUnknown,
    JsValue,
)
from planrunner.importers.formats.k6.steps.checks import checked, expect_of
from planrunner.importers.formats.k6.terms.members import member
from planrunner.importers.formats.k6.terms.operators import binary, negated, truth
from planrunner.importers.formats.k6.terms.texts import plan_text
from planrunner.importers.javascript.expectations import NotExpectable

__all__ = ["CHAI", "expected_member", "judge_expected"]

_FILLERS: Final = frozenset(
    {
        *("to", "be", "been", "is", "that", "which", "and", "has", "have", "with", "at", "of"),
        *("same", "but", "does", "still", "also", "deep", "own", "all", "any", "ordered", "soft"),
    }
)
_SIGNS: Final = {
    **dict.fromkeys(("equal", "equals", "eq", "eql", "eqls", "toEqual", "toBe"), "=="),
    "toStrictEqual": "==",
    **dict.fromkeys(("below", "lessThan", "lt", "toBeLessThan"), "<"),
    **dict.fromkeys(("most", "lte", "atMost", "lessThanOrEqual", "toBeLessThanOrEqual"), "<="),
    **dict.fromkeys(("above", "greaterThan", "gt", "toBeGreaterThan"), ">"),
    **dict.fromkeys(("least", "gte", "atLeast", "toBeGreaterThanOrEqual"), ">="),
}
_BOOLEAN: Final = frozenset(
    {*("==", "!=", "<", "<=", ">", ">=", "in", "not", "and", "or", "matches", "starts", "ends")}
)
_GOES_ON: Final = "what follows a broken expectation in it runs, too"
_NOT_ENDED: Final = "the iteration goes on when it is broken"


def _describe(call: NativeCall) -> JsValue:
    """Read `describe(name, function)`: a group; a broken expectation ends it in the original."""
    machine = call.machine
    name = plan_text(call.argument(0), machine)
    function = call.argument(1)
    if not isinstance(function, JsFunction):
        raise NoStepSays("a `describe` without a function")
    before = len(machine.expected)
    machine.described.append([])
    with machine.branch() as steps:
        call.run(function, [JsNative("chai")])
        last = machine.last
    machine.last = last
    tests = machine.described.pop()
    if any(sent < machine.sent for _, sent in machine.expected[before:]):
        call.change(_GOES_ON)
    del machine.expected[before:]
    if steps:
        machine.groups.add(name)
        machine.emit({"group": name, "do": steps}, call.node, call.scope)
    return checked(tests)


def _expect(call: NativeCall) -> JsValue:
    value = call.argument(0)
    if isinstance(value, JsUnknown):
        return value
    construct = call.scope.module.construct(call.node)
    call.machine.expected.append((construct, call.machine.sent))
    return JsExpectation(value, call)


def judge_expected(machine: K6Machine) -> None:
    """Judge the expectations outside of `describe`, which end an iteration in the original."""
    for construct, sent in machine.expected:
        if construct is not None and sent < machine.sent:
            construct.changed(_NOT_ENDED)
    machine.expected.clear()


def expected_member(of: JsExpectation, name: str) -> JsValue:
    """Return what a word of chai that is not called makes of an expectation."""
    if name in _FILLERS:
        return of
    if name == "nested":
        return JsExpectation(of.value, of.call, of.is_not, is_nested=True)
    if name == "not":
        return JsExpectation(of.value, of.call, not of.is_not, of.is_nested)
    if name in ("length", "lengthOf"):
        return JsExpectation(JsOp("length", [of.value]), of.call, of.is_not)
    test = _flag(of.value, name)
    if test is None:
        of.call.change(f"`{name}` of it is not in the plan")
        return of
    try:
        _hold(of, test)
    except NoStepSays as fault:
        _lose(of, fault.why)
    return of


def _lose(of: JsExpectation, why: str) -> None:
    construct = of.call.scope.module.construct(of.call.node)
    if construct is not None:
        construct.left_out(why)


def _flag(value: JsValue, name: str) -> JsValue | None:
    """Return the condition that a word says which is no call."""
    if name in ("true", "false"):
        return _is(value, holds=name == "true")
    if name in ("null", "undefined", "exist"):
        return binary("==" if name != "exist" else "!=", value, UNDEFINED)
    if name == "ok":
        return value
    if name == "empty":
        return binary("==", JsOp("length", [value]), JsConst(0))
    if name in ("string", "number", "array", "object", "boolean"):
        return JsOp("type", [value, JsConst(name)])
    return None


def _is(value: JsValue, *, holds: bool) -> JsValue:
    if isinstance(value, JsOp) and value.sign in _BOOLEAN:
        return value if holds else negated(value)
    return binary("==", value, JsConst(holds))


def _hold(of: JsExpectation, test: JsValue) -> None:
    """Add a condition to what the request expects."""
    if of.is_not:
        test = negated(test)
    machine = of.call.machine
    if machine.described:
        machine.described[-1].append(test)
    if truth(test) is True:
        return
    try:
        expect_of(of.call, test, of.value)
    except NotExpectable as fault:
        raise NoStepSays(str(fault)) from None


def _of(call: NativeCall) -> JsExpectation:
    assert isinstance(call.of, JsExpectation), "a method of an expectation"
    return call.of


def _tested(call: NativeCall, *tests: JsValue) -> JsValue:
    of = _of(call)
    try:
        for test in tests:
            if isinstance(test, JsUnknown):
                raise NoStepSays(test.why)
            _hold(of, test)
    except NoStepSays as fault:
        _lose(of, fault.why)
        raise
    return of


def _compared(call: NativeCall) -> JsValue:
    value, wanted = _of(call).value, call.argument(0)
    sign = _SIGNS[call.name]
    if sign == "==" and isinstance(wanted, JsConst) and isinstance(wanted.value, bool):
        return _tested(call, _is(value, holds=wanted.value))
    if sign == "==" and isinstance(wanted, JsObject) and not wanted.name:
        return _tested(call, *_entries(call, value, wanted))
    return _tested(call, binary(sign, value, wanted))


def _entries(call: NativeCall, value: JsValue, wanted: JsObject) -> list[JsValue]:
    return [
        binary("==", member(value, JsConst(key), call.machine), one)
        for key, one in wanted.entries.items()
    ]


def _included(call: NativeCall) -> JsValue:
    value, wanted = _of(call).value, call.argument(0)
    if isinstance(wanted, JsObject):
        return _tested(call, *_entries(call, value, wanted))
    if isinstance(wanted, JsArray) and call.name in ("members", "toContainAll"):
        return _tested(call, *(JsOp("in", [one, value]) for one in wanted.items))
    return _tested(call, JsOp("in", [wanted, value]))


def _matched(call: NativeCall) -> JsValue:
    pattern = call.argument(0)
    known = pattern.entries.get("regex") if isinstance(pattern, JsObject) else pattern
    if not isinstance(known, JsConst):
        raise NoStepSays("a pattern that only the run knows")
    return _tested(call, JsOp("matches", [_of(call).value, known]))


def _typed(call: NativeCall) -> JsValue:
    kind = call.argument(0)
    if not isinstance(kind, JsConst):
        raise NoStepSays("a type that only the run knows")
    return _tested(call, JsOp("type", [_of(call).value, kind]))


def _one_of(call: NativeCall) -> JsValue:
    return _tested(call, JsOp("in", [_of(call).value, call.argument(0)]))


def _within(call: NativeCall) -> JsValue:
    value = _of(call).value
    low, high = call.argument(0), call.argument(1)
    return _tested(call, binary(">=", value, low), binary("<=", value, high))


def _length(call: NativeCall) -> JsValue:
    return _tested(call, binary("==", JsOp("length", [_of(call).value]), call.argument(0)))


def _property(call: NativeCall) -> JsValue:
    """Read `to.have.property(name, value)`; what follows is about the property."""
    of = _of(call)
    name = call.argument(0)
    if not isinstance(name, JsConst):
        raise NoStepSays("a property whose name only the run knows")
    inner = of.value if not isinstance(of.value, JsReply) else JsPart(of.value, "json")
    words = str(name.value).split(".") if of.is_nested else [name.value]
    for one in words:
        inner = member(inner, JsConst(one), call.machine)
    is_given = len(call.arguments) > 1
    wanted = call.argument(1)
    _tested(call, binary("==" if is_given else "!=", inner, wanted if is_given else UNDEFINED))
    return JsExpectation(inner, of.call)


def _keys(call: NativeCall) -> JsValue:
    given = call.arguments
    if given and isinstance(given[0], JsArray):
        given = given[0].items
    value = _of(call).value
    return _tested(
        call, *(binary("!=", member(value, one, call.machine), UNDEFINED) for one in given)
    )


def _valid_json(call: NativeCall) -> JsValue:
    value = _of(call).value
    if not isinstance(value, JsReply):
        raise NoStepSays("a test of JSON of something else than a reply")
    return _tested(call, JsPart(value, "json"))


def _status(call: NativeCall) -> JsValue:
    value = _of(call).value
    if not isinstance(value, JsReply):
        raise NoStepSays("a status of something else than a reply")
    return _tested(call, binary("==", JsPart(value, "status"), call.argument(0)))


def _flagged(call: NativeCall) -> JsValue:
    """Read `toBeTruthy()` and its like."""
    test = _flag(_of(call).value, _JEST[call.name])
    assert test is not None, "one of the table"
    return _tested(call, negated(test) if call.name == "toBeFalsy" else test)


_JEST: Final = {
    "toBeTruthy": "ok",
    "toBeFalsy": "ok",
    "toBeDefined": "exist",
    "toBeUndefined": "undefined",
    "toBeNull": "null",
    "ok": "ok",
    "exist": "exist",
}


def _same(call: NativeCall) -> JsValue:
    return _of(call)


def _and(call: NativeCall) -> JsValue:
    return JsExpectation(call.argument(0), _of(call).call)


CHAI: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    "chai.describe": _describe,
    "chai.expect": _expect,
    "chai.expect.soft": _expect,
    **{f"Expect.{name}": _compared for name in _SIGNS},
    **{
        f"Expect.{name}": _included
        for name in ("include", "includes", "contain", "contains", "string", "members", "toContain")
    },
    **dict.fromkeys(("Expect.toInclude", "Expect.toContainEqual"), _included),
    **dict.fromkeys(("Expect.match", "Expect.matches", "Expect.toMatch"), _matched),
    **dict.fromkeys(("Expect.a", "Expect.an"), _typed),
    "Expect.oneOf": _one_of,
    **dict.fromkeys(("Expect.within", "Expect.toBeBetween"), _within),
    **{f"Expect.{name}": _length for name in ("length", "lengthOf", "toHaveLength")},
    **{f"Expect.{name}": _property for name in ("property", "ownProperty", "toHaveProperty")},
    **dict.fromkeys(("Expect.keys", "Expect.key"), _keys),
    **dict.fromkeys(("Expect.validJsonBody", "Expect.toHaveValidJson"), _valid_json),
    "Expect.status": _status,
    **{f"Expect.{name}": _flagged for name in _JEST},
    "Expect.as": _same,
    "Expect.and": _and,
}
