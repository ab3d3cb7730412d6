"""Which arguments a function of a processor takes: Artillery gives them by where it is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from planrunner.importers.formats.k6.state.values import UNDEFINED, JsFunction, JsValue
from planrunner.importers.javascript.script import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["AFTER_RESPONSE", "AT_STEP", "BEFORE_REQUEST", "given"]

AT_STEP: Final = ("context", "events", "done")
BEFORE_REQUEST: Final = ("request", *AT_STEP)
AFTER_RESPONSE: Final = ("request", "response", *AT_STEP)
_NAMED: Final = {
    "request": re.compile(r"_*(req|request|params)([A-Z_].*)?"),
    "response": re.compile(r"_*(res|response|reply)([A-Z_].*)?"),
    "context": re.compile(r"_*(ctx|context|\w*Context)"),
    "events": re.compile(r"_*(ee|events?|emitter|eventEmitter)"),
    "done": re.compile(r"_*(next|done|cb|callback)"),
}


def given(
    function: JsFunction, order: tuple[str, ...], values: Mapping[str, JsValue]
) -> tuple[list[JsValue], bool]:
    """Return the arguments of a call, and whether they are not those that the function names.

    A function that names others than Artillery gives there fails at once; it is given what it
    names.
    """
    wanted = [_meaning(one) for one in _parameters(function)]
    usual = list(order[: len(wanted)])
    if not wanted or "" in wanted or wanted == usual or "context" not in wanted:
        return [values[one] for one in order], False
    return [values.get(one, UNDEFINED) for one in wanted], True


def _parameters(function: JsFunction) -> list[Node]:
    listed = function.node.child_by_field_name("parameters")
    found = listed.named_children if listed is not None else []
    return [one for one in found if one.type != "comment"]


def _meaning(parameter: Node) -> str:
    """Return what a parameter is, by its name; empty for what can't be told."""
    name = re.split(r"[:=?\s]", text_of(parameter))[0]
    return next((key for key, named in _NAMED.items() if named.fullmatch(name)), "")
