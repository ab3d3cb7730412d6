"""What k6 itself brings: pauses, groups, logs, and what its jslib has."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.objects import JsChoice, JsForm
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsExpr,
    JsFunction,
    JsOp,
    JsRows,
    JsUnknown,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.terms.members import row
from planrunner.importers.formats.k6.terms.operators import binary
from planrunner.importers.formats.k6.terms.texts import expression, plan_text, wrapped

__all__ = ["GENERAL"]

_BETWEEN: Final = re.compile(r"rand\.(?:int|float)\((-?[\d.]+), (-?[\d.]+)\)")


def _sleep(call: NativeCall) -> JsValue:
    """Read a pause: a time, or a range of random ones."""
    value = call.argument(0)
    try:
        length = plain(value)
    except LookupError:
        length = None
    if isinstance(length, int | float):
        if length > 0:
            call.machine.emit({"think": f"{length:g}s"}, call.node, call.scope)
        return UNDEFINED
    _pause(call, value)
    return UNDEFINED


def _pause(call: NativeCall, value: JsValue) -> None:
    """Write a pause of random length, or one of two under a condition."""
    machine = call.machine
    limits = _range(value)
    if limits is not None:
        low, high = sorted(limits)
        said = f"{low:g}s..{high:g}s" if low != high else f"{low:g}s"
        machine.emit({"think": said}, call.node, call.scope)
        return
    if isinstance(value, JsOp) and value.sign == "?":
        test, then, other = value.operands
        written = []
        for one in (then, other):
            with machine.branch() as steps:
                _pause(call, one)
            written.append(steps)
        said = expression(test, machine)
        body: Keys = {"if": said, "then": written[0], "else": written[1]}
        machine.emit(body, call.node, call.scope)
        return
    text = expression(value, machine)
    names = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"'[^']*'", "", text)))
    if not names <= {*machine.params, "int", "float", "round"}:
        raise NoStepSays("a pause whose length only the run knows: write a range, as `1s..3s`")
    machine.emit({"think": f"${{{text}}}"}, call.node, call.scope)


def _range(value: JsValue) -> tuple[float, float] | None:
    """Return between which numbers a random one is; None where that isn't known."""
    match value:
        case JsConst(value=int() | float() as number):
            return float(number), float(number)
        case JsExpr(text=text) if found := _BETWEEN.fullmatch(text):
            return float(found[1]), float(found[2])
        case JsOp(sign="+" | "-" | "*" | "/" as sign, operands=[left, right]):
            first, second = _range(left), _range(right)
            if first is None or second is None:
                return None
            if sign == "/" and (second[0] != second[1] or not second[0]):
                return None
            ends = [_calculate(sign, a, b) for a in first for b in second]
            return min(ends), max(ends)
        case _:
            return None


def _calculate(sign: str, left: float, right: float) -> float:
    return {
        "+": left + right,
        "-": left - right,
        "*": left * right,
        "/": left / right if right else 0.0,
    }[sign]


def _group(call: NativeCall) -> JsValue:
    function = call.argument(1)
    name = plan_text(call.argument(0), call.machine)
    with call.machine.branch() as steps:
        value = call.run(function, [])
        last = call.machine.last
    call.machine.last = last
    if isinstance(value, JsUnknown) and not steps:
        return value
    if steps:
        call.machine.groups.add(name)
        call.machine.emit({"group": name, "do": steps}, call.node, call.scope)
    return value


def _fail(call: NativeCall) -> JsValue:
    what = "plan" if call.machine.part in ("setup", "teardown") else "iteration"
    call.machine.emit({"stop": what}, call.node, call.scope)
    return UNDEFINED


def _abort(call: NativeCall) -> JsValue:
    call.machine.emit({"stop": "plan"}, call.node, call.scope)
    return UNDEFINED


def _log(call: NativeCall) -> JsValue:
    if call.machine.trial or not call.machine.lists or not call.arguments:
        return UNDEFINED
    texts = [plan_text(one, call.machine) for one in call.arguments]
    call.machine.emit({"log": " ".join(texts)}, call.node, call.scope)
    return UNDEFINED


def _random_int(call: NativeCall) -> JsValue:
    low, high = (expression(call.argument(number), call.machine) for number in (0, 1))
    return JsExpr(f"rand.int({low}, {high})", "number", draws=True)


def _random_item(call: NativeCall) -> JsValue:
    value = call.argument(0)
    if isinstance(value, JsRows):
        return row(value, "random", "iteration")
    if isinstance(value, JsArray) and any(isinstance(one, JsFunction) for one in value.items):
        return JsChoice(value.items)
    return JsExpr(f"rand.choice({expression(value, call.machine)})", draws=True)


def _random_string(call: NativeCall) -> JsValue:
    length = expression(call.argument(0), call.machine)
    if len(call.arguments) > 1:
        call.change("`rand.text` draws letters and digits")
    return JsExpr(f"rand.text({length})", "text", draws=True)


def _uuid(call: NativeCall) -> JsValue:
    del call
    return JsExpr("rand.uuid()", "text", draws=True)


def _nothing(call: NativeCall) -> JsValue:
    """What has no effect on the load, or no counterpart that is needed."""
    del call
    return UNDEFINED


def _random(call: NativeCall) -> JsValue:
    del call
    return JsExpr("rand.float(0, 1)", "number", draws=True)


def _floor(call: NativeCall) -> JsValue:
    """Read `Math.floor(x)`; `Math.floor(Math.random() * n)` is a random whole number.

    So is `ceil`, from 1 on; `round` gives its ends half as often as others.
    """
    value = call.argument(0)
    drawn = None
    if call.name != "round":
        by_one = JsOp("+", [value, JsConst(1)]) if call.name == "ceil" else value
        drawn = _random_below(by_one, call)
    return drawn if drawn is not None else _rounded(call, value)


def _rounded(call: NativeCall, value: JsValue) -> JsValue:
    try:
        known = plain(value)
    except LookupError:
        known = None
    if isinstance(known, int | float):
        names = {"floor": known // 1, "ceil": -(-known // 1), "trunc": int(known)}
        return JsConst(int(names.get(call.name, int(known + 0.5))))
    name = {"trunc": "int"}.get(call.name, call.name)
    return JsOp(name, [value])


def _random_below(value: JsValue, call: NativeCall) -> JsValue | None:  # noqa: C901 - a table
    """Return a whole number for `Math.random() * n + m`; None for anything else."""
    if not isinstance(value, JsOp) or len(value.operands) != 2:
        return None
    left, right = value.operands
    if value.sign == "+":
        for inner, more in ((left, right), (right, left)):
            below = _random_below(inner, call)
            if below is not None and isinstance(more, JsConst) and isinstance(below, JsExpr):
                found = _BETWEEN.fullmatch(below.text)
                step = more.value
                if found is not None and isinstance(step, int):
                    low, high = int(found[1]) + step, int(found[2]) + step
                    return JsExpr(f"rand.int({low}, {high})", "number", draws=True)
        return None
    if value.sign != "*":
        return None
    for drawn, count in ((left, right), (right, left)):
        if isinstance(drawn, JsExpr) and drawn.text == "rand.float(0, 1)":
            return _below(count, call)
    return None


def _below(count: JsValue, call: NativeCall) -> JsExpr:
    if isinstance(count, JsOp) and count.sign == "length" and isinstance(count.operands[0], JsRows):
        return JsExpr("rand.int(0, 1)", "number", draws=True)
    last = binary("-", count, JsConst(1))
    return JsExpr(f"rand.int(0, {expression(last, call.machine)})", "number", draws=True)


def _extreme(call: NativeCall) -> JsValue:
    try:
        known = [plain(one) for one in call.arguments]
        return JsConst(max(known) if call.name == "max" else min(known))
    except (LookupError, TypeError, ValueError):
        listed = ", ".join(expression(one, call.machine) for one in call.arguments)
        return JsExpr(f"[{listed}] | {call.name}", "number")


def _hash(call: NativeCall) -> JsValue:
    kind = call.name
    if len(call.arguments) > 1 and plain(call.argument(1)) not in ("hex", None):
        call.change("the digest is in hexadecimal")
    return JsExpr(f"{wrapped(call.argument(0), call.machine)} | hash('{kind}')", "text")


def _hmac(call: NativeCall) -> JsValue:
    kind, key, text = (call.argument(number) for number in range(3))
    shown = expression(key, call.machine)
    if plain(kind) != "sha256":
        raise NoStepSays("an `hmac` of another kind than SHA-256")
    if plain(call.argument(3)) not in ("hex", None):
        call.change("the digest is in hexadecimal")
    return JsExpr(f"{wrapped(text, call.machine)} | hmac({shown})", "text")


def _hasher(call: NativeCall) -> JsValue:
    """Read `crypto.createHash(kind)` and `createHMAC(kind, key)`."""
    return JsForm("hash", base=JsArray(call.arguments))


def _update(call: NativeCall) -> JsValue:
    assert isinstance(call.of, JsForm), "a method of a hash"
    call.of.pairs.append(("", call.argument(0)))
    return call.of


def _digest(call: NativeCall) -> JsValue:
    assert isinstance(call.of, JsForm), "a method of a hash"
    assert isinstance(call.of.base, JsArray), "made so"
    text = binary("+", JsConst(""), UNDEFINED) if not call.of.pairs else call.of.pairs[0][1]
    for _, one in call.of.pairs[1:]:
        text = binary("+", text, one)
    given = call.of.base.items
    inner = [*given[1:2], text, *call.arguments[:1]]
    kind = str(plain(given[0]))
    if len(given) > 1:
        inner = [JsConst(kind), *inner]
    function = _hmac if len(given) > 1 else _hash
    made = NativeCall(call.node, kind, inner, (), UNDEFINED, call.scope, call.machine)
    return function(made)


_NativeFunction = Callable[[NativeCall], JsValue]
_NativeTable = dict[str, _NativeFunction]
GENERAL: Final[_NativeTable] = {
    "k6.sleep": _sleep,
    "k6.group": _group,
    "k6.fail": _fail,
    **dict.fromkeys(("k6.randomSeed", "utils.seed"), _nothing),
    "exec.test.abort": _abort,
    "exec.test.fail": _nothing,
    **{f"console.{name}": _log for name in ("log", "info", "warn", "error", "debug")},
    "utils.randomIntBetween": _random_int,
    "utils.randomItem": _random_item,
    "utils.randomString": _random_string,
    **{f"utils.{name}": _uuid for name in ("uuidv4", "v4", "v1", "default.v4", "uuid.v4")},
    "crypto.randomUUID": _uuid,
    "utils.tagWithCurrentStageIndex": _nothing,
    "utils.tagWithCurrentStageProfile": _nothing,
    "Math.random": _random,
    **{f"Math.{name}": _floor for name in ("floor", "ceil", "round", "trunc")},
    "Math.max": _extreme,
    "Math.min": _extreme,
    **{f"crypto.{name}": _hash for name in ("md5", "sha1", "sha256", "sha384", "sha512")},
    "crypto.hmac": _hmac,
    **dict.fromkeys(("crypto.createHash", "crypto.createHMAC"), _hasher),
    "hash.update": _update,
    "hash.digest": _digest,
    "Error": _nothing,
    "summary.textSummary": _nothing,
    "summary.jUnit": _nothing,
    "reporter.htmlReport": _nothing,
}
