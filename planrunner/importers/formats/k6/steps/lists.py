"""Methods of lists, and the keys of objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.k6.code.calls import NativeCall, predicate
from planrunner.importers.formats.k6.code.loops import for_each
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsObject,
    JsUnknown,
    JsValue,
)
from planrunner.importers.formats.k6.terms.operators import truth

__all__ = ["LISTS"]


def _for_each(call: NativeCall) -> JsValue:
    def read(item: JsValue, number: JsValue) -> None:
        call.run(call.argument(0), [item, number, call.of])

    for_each(call.of, "item", read, call.node, call.scope, call.machine)
    return UNDEFINED


def _map(call: NativeCall) -> JsValue:
    if not isinstance(call.of, JsArray) or call.of.name:
        raise NoStepSays("a list that is computed from another: write it as a function of a hook")
    return JsArray(
        [call.run(call.argument(0), [one, JsConst(n)]) for n, one in enumerate(call.of.items)]
    )


def _filter(call: NativeCall) -> JsValue:
    """Read `filter`, `find`, `some` and `every` of a list that is known."""
    if not isinstance(call.of, JsArray) or call.of.name:
        raise NoStepSays("a list that is searched: see `extract` with a filter of JSONPath")
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
    of = call.of
    if not isinstance(of, JsArray):
        raise NoStepSays("an item that is added to a list of the run: see `push`")
    if not of.name and of.depth < call.machine.depth and not call.machine.trial:
        raise NoStepSays("an item that is added to a list in a branch or loop: see `push`")
    of.items += call.arguments
    return JsConst(len(of.items))


def _concat(call: NativeCall) -> JsValue:
    if isinstance(call.of, JsArray) and all(isinstance(one, JsArray) for one in call.arguments):
        lists = [one for one in (call.of, *call.arguments) if isinstance(one, JsArray)]
        return JsArray([item for one in lists for item in one.items])
    raise NoStepSays("lists that only the run knows")


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
    **{f"{kind}.forEach": _for_each for kind in ("Value", "List")},
    **{f"{kind}.map": _map for kind in ("Value", "List")},
    **{f"List.{name}": _filter for name in ("filter", "find", "some", "every")},
    "List.push": _push,
    "List.concat": _concat,
}
