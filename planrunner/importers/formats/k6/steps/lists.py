"""Methods of lists, and the keys of objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.k6.code.calls import NativeCall, predicate
from planrunner.importers.formats.k6.code.loops import for_each
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.values import (
    MOST_ITEMS,
    UNDEFINED,
    JsArray,
    JsConst,
    JsExpr,
    JsObject,
    JsOp,
    JsPart,
    JsUnknown,
    JsValue,
)
from planrunner.importers.formats.k6.terms.operators import truth
from planrunner.importers.formats.k6.terms.texts import draws, expression, plan_value, wrapped

__all__ = ["LISTS"]


def _for_each(call: NativeCall) -> JsValue:
    def read(item: JsValue, number: JsValue) -> None:
        call.run(call.argument(0), [item, number, call.of])

    for_each(call.of, "item", read, call.node, call.scope, call.machine)
    return UNDEFINED


def _map(call: NativeCall) -> JsValue:
    if isinstance(call.of, JsArray) and not call.of.name:
        rounds = enumerate(call.of.items)
        return JsArray([call.run(call.argument(0), [one, JsConst(n)]) for n, one in rounds])
    if isinstance(call.of, JsPart) and call.of.kind == "json":
        each = JsPart(call.of.reply, "json", (*call.of.path, "*"))
        found = predicate(call.argument(0), [each], call.node, call.scope, call.machine)
        if isinstance(found, JsPart) and found.path[: len(each.path)] == each.path:
            return found
    found = predicate(call.argument(0), [_ITEM], call.node, call.scope, call.machine)
    attribute = _attribute(found)
    own = wrapped(call.of, call.machine)
    return JsExpr(f"{own} | map(attribute='{attribute}') | list", draws=draws(call.of))


_ITEM: Final = JsExpr("each_item")
_TESTS: Final = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def _attribute(value: JsValue) -> str:
    """Return which attribute of an item a function reads."""
    text = value.text if isinstance(value, JsExpr) else ""
    if not text.startswith("each_item.") or not text.replace(".", "").isidentifier():
        raise NoStepSays("a list that is computed from another: write it as a function of a hook")
    return text.removeprefix("each_item.")


def _searched(call: NativeCall) -> JsValue:
    """Read `filter` and `find` of a list of the run: `selectattr` with one comparison."""
    test = predicate(call.argument(0), [_ITEM], call.node, call.scope, call.machine)
    if isinstance(test, JsUnknown):
        return test
    own = wrapped(call.of, call.machine)
    said = f"{own} | selectattr({_selection(test, call)})"
    if call.name == "filter":
        return JsExpr(f"{said} | list", draws=draws(call.of))
    if call.name == "find":
        return JsExpr(f"({said} | list | first) | default(none)", draws=draws(call.of))
    raise NoStepSays("a list that is searched for what only the run knows")


def _selection(test: JsValue, call: NativeCall) -> str:
    """Return an attribute and what it must be, as `selectattr` takes them."""
    if isinstance(test, JsExpr):
        return f"'{_attribute(test)}'"
    if isinstance(test, JsOp) and test.sign in _TESTS and len(test.operands) == 2:
        left, right = test.operands
        if "each_item" not in expression(right, call.machine):
            wanted = expression(right, call.machine)
            return f"'{_attribute(left)}', '{_TESTS[test.sign]}', {wanted}"
    raise NoStepSays("a list that is searched: see `extract` with a filter of JSONPath")


def _filter(call: NativeCall) -> JsValue:
    """Read `filter`, `find`, `some` and `every` of a list that is known."""
    if isinstance(call.of, JsUnknown):
        return call.of
    if not isinstance(call.of, JsArray) or call.of.name:
        return _searched(call)
    kept: list[JsValue] = []
    for one in call.of.items:
        held = truth(predicate(call.argument(0), [one], call.node, call.scope, call.machine))
        if held is None:
            raise NoStepSays("a list that is searched for what only the run knows")
        if held:
            kept.append(one)
    if call.name == "filter":
        return JsArray(kept)
    if call.name in ("some", "every"):
        return JsConst(bool(kept) if call.name == "some" else len(kept) == len(call.of.items))
    return kept[0] if kept else UNDEFINED


def _push(call: NativeCall) -> JsValue:
    of, machine = call.of, call.machine
    if not isinstance(of, JsArray):
        raise NoStepSays("an item that is added to a list of the run: see `push`")
    is_outer = 0 < of.depth < machine.depth and not machine.trial
    if not of.name and is_outer:
        items = [plan_value(one, machine) for one in of.items]
        of.name = machine.name("items")
        step = DraftStep({"set": {of.name: items}}, origin=call.scope.module.place(call.node))
        machine.lists[of.depth - 1].append(step)
    if of.name:
        for one in call.arguments:
            machine.emit({"push": {of.name: plan_value(one, machine)}}, call.node, call.scope)
        return JsOp("length", [of])
    if of.depth < machine.depth and not machine.trial and machine.part != "init":
        raise NoStepSays("an item that is added to a list of all iterations: see `pools`")
    of.items += call.arguments
    return JsConst(len(of.items))


def _concat(call: NativeCall) -> JsValue:
    if isinstance(call.of, JsArray) and all(isinstance(one, JsArray) for one in call.arguments):
        lists = [one for one in (call.of, *call.arguments) if isinstance(one, JsArray)]
        if sum(len(one.items) for one in lists) > MOST_ITEMS:
            raise NoStepSays("a list that grows without end")
        return JsArray([item for one in lists for item in one.items])
    raise NoStepSays("lists that only the run knows")


def _from(call: NativeCall) -> JsValue:
    """Read `Array.from(list)` and `Array.from({length: 3}, (_, n) => …)`."""
    source = call.argument(0)
    if isinstance(source, JsObject) and not source.name and "length" in source.entries:
        length = source.entries["length"]
        number = length.value if isinstance(length, JsConst) else None
        if not isinstance(number, int) or not 0 <= number <= MOST_ITEMS:
            raise NoStepSays("a list whose length only the run knows")
        source = JsArray([UNDEFINED] * number)
    if len(call.arguments) < 2 or isinstance(source, JsUnknown):
        return source
    call.of, call.arguments = source, call.arguments[1:]
    return _map(call)


def _array(call: NativeCall) -> JsValue:
    """Read `new Array(10)`, and `Array(1, 2)`, which is a list of these."""
    if len(call.arguments) != 1:
        return JsArray(list(call.arguments))
    length = call.argument(0)
    number = length.value if isinstance(length, JsConst) else None
    if not isinstance(number, int) or not 0 <= number <= MOST_ITEMS:
        raise NoStepSays("a list whose length only the run knows")
    return JsArray([UNDEFINED] * number)


def _fill(call: NativeCall) -> JsValue:
    """Read `list.fill(value)`: all its items are the same."""
    if not isinstance(call.of, JsArray) or call.of.name or len(call.arguments) != 1:
        raise NoStepSays("a part of a list that is filled: write it as a function of a hook")
    if draws(call.argument(0)):
        raise NoStepSays("a list of the same drawn value: write it as a function of a hook")
    return JsArray([call.argument(0)] * len(call.of.items))


def _sort(call: NativeCall) -> JsValue:
    """Read `list.sort(() => Math.random() - 0.5)`, which shuffles."""
    order = call.argument(0)
    if order is not UNDEFINED:
        given: list[JsValue] = [UNDEFINED, UNDEFINED]
        said = predicate(order, given, call.node, call.scope, call.machine)
        if isinstance(said, JsOp) and draws(said):
            return JsExpr(f"rand.shuffle({expression(call.of, call.machine)})", draws=True)
    raise NoStepSays("a list that is sorted: write it as a function of a hook")


def _keys(call: NativeCall) -> JsValue:
    value = call.argument(0)
    if not isinstance(value, JsObject) or value.name:
        if isinstance(value, JsUnknown):
            return value
        raise NoStepSays("the keys of something that only the run knows")
    pairs = list(value.entries.items())
    if call.name == "keys":
        return JsArray([JsConst(key) for key, _ in pairs])
    if call.name == "values":
        return JsArray([one for _, one in pairs])
    return JsArray([JsArray([JsConst(key), one]) for key, one in pairs])


def _assign(call: NativeCall) -> JsValue:
    target = call.argument(0)
    if not isinstance(target, JsObject):
        raise NoStepSays("an object that only the run knows")
    for one in call.arguments[1:]:
        if isinstance(one, JsObject) and not one.name:
            target.entries.update(one.entries)
        elif not isinstance(one, JsConst):
            raise NoStepSays("an object that only the run knows")
    return target


LISTS: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    **{f"Object.{name}": _keys for name in ("keys", "values", "entries")},
    "Object.assign": _assign,
    "Array": _array,
    "Array.from": _from,
    "List.fill": _fill,
    **{f"{kind}.sort": _sort for kind in ("Value", "List")},
    **{f"{kind}.forEach": _for_each for kind in ("Value", "List")},
    **{f"{kind}.map": _map for kind in ("Value", "List")},
    **{f"Value.{name}": _filter for name in ("filter", "find", "some", "every")},
    **{f"List.{name}": _filter for name in ("filter", "find", "some", "every")},
    "List.push": _push,
    "List.concat": _concat,
}
