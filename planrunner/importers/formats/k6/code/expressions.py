"""Expressions of a script → values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planrunner.importers.formats.k6.code.evaluation import EvaluateJs, evaluate
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.objects import JsDate
from planrunner.importers.formats.k6.state.values import (
    MOST_ITEMS,
    UNDEFINED,
    JsArray,
    JsClass,
    JsConst,
    JsExpr,
    JsFunction,
    JsNative,
    JsObject,
    JsOp,
    JsPart,
    JsSpan,
    JsText,
    JsUnknown,
    JsValue,
    K6Scope,
    plain,
)
from planrunner.importers.formats.k6.terms.dates import TEXT, date_said, of_constant
from planrunner.importers.formats.k6.terms.environment import with_default
from planrunner.importers.formats.k6.terms.members import member
from planrunner.importers.formats.k6.terms.operators import binary, negated, shadow, ternary, truth
from planrunner.importers.formats.k6.terms.texts import is_text, wrapped
from planrunner.importers.javascript.constants import NOT_CONSTANT, fold, js_text, unescape
from planrunner.importers.javascript.script import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["EXPRESSIONS", "key_of", "text_value"]

_WORDS: Final[dict[str, JsValue]] = {
    "undefined": UNDEFINED,
    "NaN": JsUnknown("`NaN`"),
    "Infinity": JsUnknown("`Infinity`"),
    "__VU": JsOp("+", [JsExpr("user.id", "number"), JsConst(1)]),
    "__ITER": JsExpr("user.iteration", "number"),
}
_NATIVES: Final = frozenset(
    {
        *("Math", "JSON", "Object", "Array", "Number", "String", "Date", "console", "__ENV"),
        *("open", "parseInt", "parseFloat", "Boolean", "encodeURIComponent", "encodeURI", "isNaN"),
        *("decodeURIComponent", "setTimeout", "setInterval", "Error", "URL", "URLSearchParams"),
        *("RegExp", "require", "Set", "Map", "Promise", "FormData", "TextEncoder", "Symbol"),
        *(
            "globalThis",
            "clearTimeout",
            "clearInterval",
            "crypto",
            "Intl",
            "Uint8Array",
            "btoa",
            *(
                "atob",
                "TextDecoder",
                "BigInt",
                "ArrayBuffer",
                "DataView",
                "Int8Array",
                "Uint16Array",
            ),
            *("Uint32Array", "Int16Array", "Int32Array", "Float32Array", "Float64Array", "WeakMap"),
            *("WeakSet", "Reflect", "Proxy", "isFinite", "decodeURI", "escape", "unescape"),
            *(
                "Function",
                "TypeError",
                "RangeError",
                "SyntaxError",
                "module",
                "exports",
                "eval",
                "fetch",
            ),
        ),
    }
)


def _field(node: Node, name: str, scope: K6Scope, machine: K6Machine) -> JsValue:
    below = node.child_by_field_name(name)
    return evaluate(below, scope, machine) if below is not None else UNDEFINED


def _name(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    name = text_of(node)
    found = scope.find(name)
    if found is not None:
        if found.is_global and machine.part == "vu":
            machine.read_globals.add(name)
            if found.of_setup:
                return _lost(node, name, scope, machine, found.value)
        return JsExpr(found.name) if found.name else found.value
    if name in _NATIVES:
        return JsNative(name)
    if name in _WORDS:
        return _WORDS[name]
    return JsUnknown(f"`{name}` is set nowhere: k6 stops here", is_mistake=True)


def _lost(node: Node, name: str, scope: K6Scope, machine: K6Machine, value: JsValue) -> JsValue:
    """Return the first value of a global that only `setup` changes: VUs never see the other."""
    place = scope.module.place(node)
    why = f"`setup` sets the global `{name}`, which no VU sees: return it from `setup`"
    known = {(one.place, one.kind) for one in machine.modules.ledger.constructs[-50:]}
    if (place, "global") not in known:
        machine.finding("global", name, place, "suspicious", why)
    return value


def _constant(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    del scope, machine
    found = fold(node)
    if found is NOT_CONSTANT or isinstance(found, list | dict):
        return JsUnknown("a number or text that can't be read")
    return JsConst(found)  # type: ignore[arg-type]


def _template(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    parts: list[JsValue] = []
    for one in node.named_children:
        if one.type == "template_substitution":
            value = evaluate(one.named_children[0], scope, machine) if one.named_children else None
            if isinstance(value, JsUnknown):
                return value
            parts.append(_of_date(value or UNDEFINED, "+", machine))
        elif one.type in ("string_fragment", "escape_sequence"):
            parts.append(JsConst(unescape(text_of(one))))
    return text_value(parts)


def text_value(parts: list[JsValue]) -> JsValue:
    """Return texts and values as one text; as a constant where all are."""
    flat = [below for one in parts for below in (one.parts if isinstance(one, JsText) else [one])]
    try:
        return JsConst("".join(js_text(plain(one)) for one in flat))
    except LookupError:
        pass
    shadows = [shadow(one) for one in flat]
    unset: JsValue | None = None
    try:
        unset = JsConst("".join(js_text(plain(one)) for one in shadows if one is not None))
    except LookupError:
        unset = None
    return JsText(flat, unset if None not in shadows else None)


def _array(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    items: list[JsValue] = []
    for one in node.named_children:
        if one.type == "comment":
            continue
        if one.type == "spread_element":
            inner = evaluate(one.named_children[0], scope, machine)
            if not isinstance(inner, JsArray) or inner.name:
                return JsUnknown("a list whose items are known only when the plan runs")
            if len(items) + len(inner.items) > MOST_ITEMS:
                return JsUnknown("a list that grows without end")
            items += inner.items
        else:
            items.append(evaluate(one, scope, machine))
    return JsArray(items, machine.depth)


def _object(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:  # noqa: C901 - a table
    made = JsObject(depth=machine.depth)
    for one in node.named_children:
        if one.type == "spread_element":
            inner = evaluate(one.named_children[0], scope, machine)
            if isinstance(inner, JsObject) and not inner.name:
                made.entries.update(inner.entries)
            elif isinstance(inner, JsUnknown):
                return inner
            elif truth(inner) is not False:
                return JsUnknown("an object of which only the plan's run knows the keys")
        elif one.type == "shorthand_property_identifier":
            made.entries[text_of(one)] = _name(one, scope, machine)
        elif one.type == "method_definition":
            made.entries[text_of(one.child_by_field_name("name"))] = JsFunction(one, scope, made)
        elif one.type == "pair":
            _pair(one, made, scope, machine)
    return made


def _pair(node: Node, made: JsObject, scope: K6Scope, machine: K6Machine) -> None:
    key = key_of(node.child_by_field_name("key"), scope, machine)
    made.entries[key] = _field(node, "value", scope, machine)


def key_of(node: Node | None, scope: K6Scope, machine: K6Machine) -> str:
    """Return the key of a pair."""
    if node is None:
        return ""
    if node.type == "property_identifier":
        return text_of(node)
    inner = node.named_children[0] if node.type == "computed_property_name" else node
    value = evaluate(inner, scope, machine)
    try:
        return js_text(plain(value, unset=True))
    except LookupError:
        raise NoStepSays("a key that is known only when the plan runs") from None


def _function(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    del machine
    return JsFunction(node, scope, scope.own() if node.type == "arrow_function" else None)


def _member(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    of = _field(node, "object", scope, machine)
    index = node.child_by_field_name("index")
    if index is None:
        return member(of, JsConst(text_of(node.child_by_field_name("property"))), machine)
    key = evaluate(index, scope, machine)
    found = member(of, key, machine)
    if isinstance(of, JsObject) and not isinstance(key, JsConst) and not isinstance(found, JsExpr):
        machine.finding(
            "expression",
            text_of(node).partition("\n")[0],
            scope.module.place(node),
            "changed",
            "the environment chooses among these; only the one of its default is in the plan",
        )
    return found


def _unary(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:  # noqa: PLR0911 - a table
    value = _field(node, "argument", scope, machine)
    sign = text_of(node.child_by_field_name("operator"))
    if sign == "!":
        return negated(value)
    if sign in ("+", "-"):
        value = _of_date(value, "-", machine)
    if sign == "typeof":
        return _type(value)
    if sign in ("void", "delete"):
        return UNDEFINED
    if sign == "-" and isinstance(value, JsConst):
        return binary("-", JsConst(0), value)
    if isinstance(value, (JsUnknown, JsObject, JsArray)):
        return value if isinstance(value, JsUnknown) else JsUnknown("`NaN`")
    if sign not in ("+", "-"):
        return JsUnknown("bits")
    number = JsOp("float", [value]) if is_text(value) else value
    return JsOp("neg", [number]) if sign == "-" else number


def _type(value: JsValue) -> JsValue:
    match value:
        case JsConst(value=known):
            kinds = {str: "string", bool: "boolean", int: "number", float: "number"}
            return JsConst(kinds.get(type(known), "undefined"))
        case JsFunction() | JsClass() | JsNative():
            return JsConst("function")
        case JsObject() | JsArray():
            return JsConst("object")
        case JsUnknown():
            return value
        case _:
            return JsOp("typeof", [value])


def _binary(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    sign = text_of(node.child_by_field_name("operator"))
    left = _field(node, "left", scope, machine)
    if sign in ("&&", "||", "??"):
        return _short(node, sign, left, scope, machine)
    right = _field(node, "right", scope, machine)
    left, right = (_of_date(one, sign, machine) for one in (left, right))
    if sign == "in" and isinstance(right, JsObject) and isinstance(left, JsConst):
        return JsConst(str(left.value) in right.entries)
    if isinstance(left, JsOp) and left.sign == "typeof" and isinstance(right, JsConst):
        made = _typed(left.operands[0], right)
        return made if sign in ("==", "===") else negated(made)
    if sign == "-" and _is_clock(left) and _is_clock(right):
        return _elapsed(right, machine)
    return binary(sign, left, right)


def _of_date(value: JsValue, sign: str, machine: K6Machine) -> JsValue:
    """Return what an operator takes of a date: its text for `+`, else its milliseconds."""
    if not isinstance(value, JsDate) or sign in ("in", "instanceof"):
        return value
    if sign != "+":
        return value.milliseconds
    if isinstance(value.milliseconds, JsConst):
        return JsConst(of_constant(value.milliseconds, TEXT))
    said = date_said(value.milliseconds, TEXT, lambda one: wrapped(one, machine))
    return JsExpr(said, "text", draws=True)


def _typed(value: JsValue, kind: JsConst) -> JsValue:
    """Return `typeof value === kind`."""
    if kind.value == "undefined":
        return binary("==", value, UNDEFINED)
    return JsOp("type", [value, kind])


def _is_clock(value: JsValue) -> bool:
    return isinstance(value, JsExpr) and value.kind == "clock"


def _elapsed(start: JsValue, machine: K6Machine) -> JsValue:
    """Return the time since a clock was read: that of the request sent since."""
    if isinstance(start, JsExpr) and machine.sent - start.sent == 1 and machine.last is not None:
        return JsPart(machine.last, "time")
    began = start.began if isinstance(start, JsExpr) else None
    if began is not None and machine.lists and began[0] is machine.lists[-1]:
        return JsSpan(began[0], began[1], len(began[0]))
    return JsUnknown("the time of several requests: put them into a `group`, which is timed")


def _short(node: Node, sign: str, left: JsValue, scope: K6Scope, machine: K6Machine) -> JsValue:
    """Return `a || b` and `a && b`: b isn't read where a decides."""
    known = truth(left)
    if known is not None and known is (sign != "&&") and not isinstance(left, JsConst):
        _skip(node, scope, machine)
        return left
    if isinstance(left, JsConst) and binary(sign, left, UNDEFINED) is left:
        _skip(node, scope, machine)
        return left
    right = _field(node, "right", scope, machine)
    if sign != "&&":
        found = with_default(left, right, machine)
        if found is not None:
            return found
    return binary(sign, left, right)


def _skip(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Judge code that is never run."""
    right = node.child_by_field_name("right")
    if right is not None:
        machine.accept(scope.module, right)


def _ternary(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    test = _field(node, "condition", scope, machine)
    known = truth(test)
    if known is None:
        then = _field(node, "consequence", scope, machine)
        return ternary(test, then, _field(node, "alternative", scope, machine))
    taken, other = ("consequence", "alternative") if known else ("alternative", "consequence")
    skipped = node.child_by_field_name(other)
    if skipped is not None:
        machine.accept(scope.module, skipped)
    return _field(node, taken, scope, machine)


def _this(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    del node, machine
    return scope.own() or JsUnknown("`this` outside of a class")


def _sequence(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    found: JsValue = UNDEFINED
    for one in node.named_children:
        found = evaluate(one, scope, machine)
    return found


def _regex(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    del scope, machine
    flags = text_of(node.child_by_field_name("flags"))
    pattern = text_of(node.child_by_field_name("pattern"))
    return JsObject({"regex": JsConst(f"(?i){pattern}" if "i" in flags else pattern)})


EXPRESSIONS: Final[dict[str, EvaluateJs]] = {
    **dict.fromkeys(("identifier", "undefined"), _name),
    **dict.fromkeys(("number", "string", "true", "false", "null"), _constant),
    "template_string": _template,
    "array": _array,
    "object": _object,
    **dict.fromkeys(("arrow_function", "function_expression", "function"), _function),
    **dict.fromkeys(("member_expression", "subscript_expression"), _member),
    "unary_expression": _unary,
    "binary_expression": _binary,
    "ternary_expression": _ternary,
    "this": _this,
    "sequence_expression": _sequence,
    "regex": _regex,
}
