"""Loops of a script: `repeat`, `foreach` and `while`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.k6.code.assignments import bind
from planrunner.importers.formats.k6.code.evaluation import evaluate
from planrunner.importers.formats.k6.code.scoping import promote_all
from planrunner.importers.formats.k6.code.statements import run_block
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.values import (
    JsArray,
    JsConst,
    JsExpr,
    JsObject,
    JsRows,
    JsUnknown,
    JsValue,
    K6Scope,
    Variable,
)
from planrunner.importers.formats.k6.terms.operators import truth
from planrunner.importers.formats.k6.terms.texts import expression, plan_value
from planrunner.importers.javascript.script import text_of, walk

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["LOOPS", "for_each"]

_MOST_ROUNDS: Final = 20


def for_each(
    source: JsValue,
    wanted: str,
    body: Callable[[JsValue, JsValue], object],
    node: Node,
    scope: K6Scope,
    machine: K6Machine,
) -> None:
    """Write a loop over the items of a list.

    Args:
        source: The list.
        wanted: What the script calls an item.
        body: Reads the code of the loop with an item and its number.
        node: Of the loop.
        scope: Of the loop.
        machine: Of the reading.
    """
    if isinstance(source, JsUnknown):
        raise NoStepSays(source.why)
    if isinstance(source, JsArray) and not source.name and _is_unrolled(source):
        for number, item in enumerate(source.items):
            body(item, JsConst(number))
        return
    if isinstance(source, JsRows):
        raise NoStepSays(f"a loop over all rows of `{source.name}`: read one row in each iteration")
    text = expression(source, machine)
    name = machine.name(wanted)
    with machine.branch(None) as steps:
        machine.last = None
        body(JsExpr(name), JsExpr("", draws=False))
    machine.last = None
    if steps:
        machine.emit({"foreach": f"{name} in {text}", "do": steps}, node, scope)


def _is_unrolled(source: JsArray) -> bool:
    """Say whether a list is so short that each of its items gets steps of its own."""
    return len(source.items) <= _MOST_ROUNDS


def _in_loop(node: Node, scope: K6Scope, machine: K6Machine) -> list[DraftStep]:
    """Return the steps of the body of a loop."""
    body = node.child_by_field_name("body")
    assert body is not None, "a loop has a body"
    with machine.branch(None) as steps:
        machine.last = None
        run_block([(body, scope)], machine)
    machine.last = None
    return steps


def _judge_breaks(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    body = node.child_by_field_name("body")
    for one in walk(body) if body is not None else ():
        if one.type == "break_statement" and not machine.trial:
            place = scope.module.place(one)
            why = "the loop does not end here: write `while` with the condition"
            machine.finding("statement", "break", place, "changed", why)


def _for_in(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Read `for (const x of list)`."""
    left, right, body = (node.child_by_field_name(one) for one in ("left", "right", "body"))
    if left is None or right is None or body is None:
        return
    source = evaluate(right, scope, machine)
    if text_of(node.child_by_field_name("operator")) == "in":
        if not isinstance(source, JsObject):
            raise NoStepSays("a loop over keys that only the run knows")
        source = JsArray([JsConst(key) for key in source.entries])
    promote_all([body], node, scope, machine)
    _judge_breaks(node, scope, machine)
    pattern = left

    def read(item: JsValue, number: JsValue) -> None:
        del number
        inner = scope.inner()
        bind(pattern, item, inner, machine)
        run_block([(body, inner)], machine)

    wanted = text_of(left) if left.type == "identifier" else "item"
    for_each(source, wanted, read, node, scope, machine)


def _for(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Read `for (let i = 0; i < n; i++)`."""
    counted = _counted(node, scope, machine)
    if counted is None:
        raise NoStepSays("a loop that doesn't count up by one: write it as `while`")
    name, first, limit = counted
    body = node.child_by_field_name("body")
    assert body is not None, "a loop has a body"
    promote_all([body], node, scope, machine)
    _judge_breaks(node, scope, machine)
    inner = scope.inner()
    is_read = any(one.type == "identifier" and text_of(one) == name for one in walk(body))
    if not is_read:
        times = _times(first, limit, machine)
        steps = _in_loop(node, inner, machine)
        if steps:
            machine.emit({"repeat": times, "do": steps}, node, scope)
        return
    _numbered(node, name, first, limit, inner, machine)


def _times(first: JsValue, limit: JsValue, machine: K6Machine) -> object:
    if isinstance(first, JsConst) and isinstance(limit, JsConst):
        return max(0, int(limit.value or 0) - int(first.value or 0))
    if isinstance(first, JsConst) and first.value == 0:
        return plan_value(limit, machine)
    return f"${{{expression(limit, machine)} - {expression(first, machine)}}}"


def _numbered(
    node: Node, name: str, first: JsValue, limit: JsValue, inner: K6Scope, machine: K6Machine
) -> None:
    """Write a loop whose number is read."""
    body = node.child_by_field_name("body")
    assert body is not None, "a loop has a body"
    if isinstance(first, JsConst) and isinstance(limit, JsConst):
        rounds = range(int(first.value or 0), int(limit.value or 0))
        if len(rounds) <= _MOST_ROUNDS and machine.trial:
            raise NoStepSays("a loop in a condition")
    text = f"range({expression(first, machine)}, {expression(limit, machine)})"
    made = machine.name(name)
    inner.names[name] = Variable(JsExpr(made, "number"), machine.depth + 1)
    steps = _in_loop(node, inner, machine)
    if steps:
        machine.emit({"foreach": f"{made} in {text}", "do": steps}, node, inner)


def _counted(node: Node, scope: K6Scope, machine: K6Machine) -> tuple[str, JsValue, JsValue] | None:
    """Return the name, the first number and the one after the last of a loop that counts up."""
    start = node.child_by_field_name("initializer")
    test, step = (node.child_by_field_name(one) for one in ("condition", "increment"))
    if start is None or test is None or step is None:
        return None
    declared = next((one for one in walk(start) if one.type == "variable_declarator"), None)
    if declared is None:
        return None
    name = text_of(declared.child_by_field_name("name"))
    first = declared.child_by_field_name("value")
    inner = test.named_children[0] if test.type == "expression_statement" else test
    sign = text_of(inner.child_by_field_name("operator"))
    limit = inner.child_by_field_name("right")
    is_up = re.sub(r"\s", "", text_of(step)) in (f"{name}++", f"++{name}", f"{name}+=1")
    is_known = text_of(inner.child_by_field_name("left")) == name and sign in ("<", "<=")
    if not is_up or not is_known or first is None or limit is None:
        return None
    last = evaluate(limit, scope, machine)
    if sign == "<=":
        from planrunner.importers.formats.k6.terms.operators import binary  # noqa: PLC0415

        last = binary("+", last, JsConst(1))
    return name, evaluate(first, scope, machine), last


def _while(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    asked, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
    if asked is None or body is None:
        return
    promote_all([body], node, scope, machine)
    _judge_breaks(node, scope, machine)
    if node.type == "do_statement":
        raise NoStepSays("a loop that runs once before it asks: write it as `poll` or `while`")
    test = evaluate(asked, scope, machine)
    if truth(test) is False:
        machine.accept(scope.module, body)
        return
    said = expression(test, machine)
    steps = _in_loop(node, scope.inner(), machine)
    if steps:
        machine.emit({"while": said, "do": steps}, node, scope)


LOOPS: Final = {
    "for_in_statement": _for_in,
    "for_statement": _for,
    "while_statement": _while,
    "do_statement": _while,
}
