"""Loops of a script: `repeat`, `foreach` and `while`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.k6.code.assignments import bind
from planrunner.importers.formats.k6.code.evaluation import evaluate
from planrunner.importers.formats.k6.code.scoping import FUNCTIONS, assigned_names, promote_all
from planrunner.importers.formats.k6.code.statements import run_block
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.values import (
    JsArray,
    JsConst,
    JsExpr,
    JsObject,
    JsReply,
    JsRows,
    JsUnknown,
    JsValue,
    K6Scope,
    Variable,
)
from planrunner.importers.formats.k6.terms.operators import binary, truth
from planrunner.importers.formats.k6.terms.texts import expression, plan_value
from planrunner.importers.javascript.script import text_of, walk
from planrunner.values import dataclass

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["LOOPS", "for_each"]

_MOST_ROUNDS: Final = 20
_RETURNS: Final = "the loop and what follows it go on: write a `while`, and an `if` behind it"
_LOOPS: Final = frozenset({"for_in_statement", "for_statement", "while_statement", "do_statement"})


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


def _in_loop(
    node: Node, scope: K6Scope, machine: K6Machine, flag: str, asks: Node | None = None
) -> list[DraftStep]:
    """Return the steps of the body of a loop, and then of the question whether it goes on."""
    body = node.child_by_field_name("body")
    assert body is not None, "a loop has a body"
    with machine.branch(None) as steps:
        machine.last = None
        with machine.loop(flag):
            run_block([(body, scope)], machine)
        if asks is not None:
            said = _asked(asks, scope, machine)
            machine.emit({"set": {flag: f"${{{said}}}"}}, asks, scope)
    machine.last = None
    return steps


def _asked(asks: Node, scope: K6Scope, machine: K6Machine) -> str:
    test = evaluate(asks, scope, machine)
    known = truth(test)
    return str(known).lower() if known is not None else expression(test, machine)


def _flag(node: Node, scope: K6Scope, machine: K6Machine) -> str:
    """Return the name that says whether a loop goes on, where a `break` ends it; empty else."""
    place = scope.module.place(node)
    body = node.child_by_field_name("body")
    if body is None or machine.trial:
        return ""
    if any(True for _ in _exits_of(body, "return_statement", functions=False)):
        machine.finding("statement", "return", place, "changed", _RETURNS)
    if not any(True for _ in _exits_of(body, "break_statement", functions=False)):
        return ""
    flag = machine.name("goes_on")
    machine.emit({"set": {flag: True}}, node, scope)
    return flag


def _exits_of(node: Node, kind: str, *, functions: bool) -> Iterator[Node]:
    """Yield statements that leave a loop, not those of loops and functions within."""
    for one in node.named_children:
        if one.type == kind:
            yield one
        elif (one.type in FUNCTIONS and not functions) or (
            kind == "break_statement" and one.type in (*_LOOPS, "switch_statement")
        ):
            continue
        else:
            yield from _exits_of(one, kind, functions=functions)


def _guarded(flag: str, steps: list[DraftStep]) -> list[DraftStep]:
    """Return the steps of a round that a `break` in an earlier one leaves out."""
    return [DraftStep({"if": flag, "then": steps})] if flag and steps else steps


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
    flag = _flag(node, scope, machine)
    pattern = left

    def read(item: JsValue, number: JsValue) -> None:
        del number
        inner = scope.inner()
        bind(pattern, item, inner, machine)
        if not flag:
            run_block([(body, inner)], machine)
            return
        with machine.branch(None) as steps, machine.loop(flag):
            run_block([(body, inner)], machine)
        machine.last = None
        machine.lists[-1].extend(_guarded(flag, steps))

    wanted = text_of(left) if left.type == "identifier" else "item"
    for_each(source, wanted, read, node, scope, machine)


@dataclass(frozen=True, slots=True)
class _CountedLoop:
    """How a loop counts: its name, the first number, the one it never reaches, and the step."""

    name: str
    first: JsValue
    end: JsValue
    step: int


def _for(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Read `for (let i = 0; i < n; i++)`, up or down by any step; others are a `while`."""
    count = _counted(node, scope, machine)
    if count is None:
        _long_form(node, scope, machine)
        return
    body = node.child_by_field_name("body")
    assert body is not None, "a loop has a body"
    promote_all([body], node, scope, machine)
    flag = _flag(node, scope, machine)
    inner = scope.inner()
    is_read = any(one.type == "identifier" and text_of(one) == count.name for one in walk(body))
    if is_read or count.step != 1:
        _numbered(node, count, flag, inner, machine)
        return
    times = _times(count.first, count.end, machine)
    if times == 0:
        machine.accept(scope.module, body)
        return
    steps = _guarded(flag, _in_loop(node, inner, machine, flag))
    if steps:
        machine.emit({"repeat": times, "do": steps}, node, scope)


def _times(first: JsValue, limit: JsValue, machine: K6Machine) -> object:
    if isinstance(first, JsConst) and isinstance(limit, JsConst):
        return max(0, int(limit.value or 0) - int(first.value or 0))
    if isinstance(first, JsConst) and first.value == 0:
        return plan_value(limit, machine)
    return f"${{{expression(limit, machine)} - {expression(first, machine)}}}"


def _numbered(
    node: Node, count: _CountedLoop, flag: str, inner: K6Scope, machine: K6Machine
) -> None:
    """Write a loop whose number is read."""
    first, end = count.first, count.end
    if isinstance(first, JsConst) and isinstance(end, JsConst):
        rounds = range(int(first.value or 0), int(end.value or 0), count.step)
        if len(rounds) <= _MOST_ROUNDS and machine.trial:
            raise NoStepSays("a loop in a condition")
    step = "" if count.step == 1 else f", {count.step}"
    text = f"range({expression(first, machine)}, {expression(end, machine)}{step})"
    made = machine.name(count.name)
    inner.names[count.name] = Variable(JsExpr(made, "number"), machine.depth + 1)
    steps = _guarded(flag, _in_loop(node, inner, machine, flag))
    if steps:
        machine.emit({"foreach": f"{made} in {text}", "do": steps}, node, inner)


def _counted(node: Node, scope: K6Scope, machine: K6Machine) -> _CountedLoop | None:
    """Return how a loop counts; None for one that does something else."""
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
    by = _step_of(step, name)
    is_known = text_of(inner.child_by_field_name("left")) == name and sign in _ENDS.get(by > 0, ())
    if not by or not is_known or first is None or limit is None:
        return None
    last = evaluate(limit, scope, machine)
    if sign in ("<=", ">="):
        last = binary("+" if by > 0 else "-", last, JsConst(1))
    return _CountedLoop(name, evaluate(first, scope, machine), last, by)


_ENDS: Final = {True: ("<", "<="), False: (">", ">=")}


def _step_of(step: Node, name: str) -> int:
    """Return by how much a loop counts; 0 for anything else."""
    said = re.sub(r"\s", "", text_of(step))
    if said in (f"{name}++", f"++{name}"):
        return 1
    if said in (f"{name}--", f"--{name}"):
        return -1
    found = re.fullmatch(rf"{re.escape(name)}([+-])=(\d+)", said)
    return int(found[1] + found[2]) if found else 0


def _long_form(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Read `for (start; test; step)` as a `while`."""
    start, step = (node.child_by_field_name(one) for one in ("initializer", "increment"))
    test, body = (node.child_by_field_name(one) for one in ("condition", "body"))
    inner = scope.inner()
    code = [one for one in (body, step) if one is not None]
    if start is not None and start.type != "empty_statement":
        run_block([(start, inner)], machine)
    promote_all(code, node, inner, machine)
    asked = test.named_children[0] if test is not None and test.named_children else None
    if asked is None or body is None:
        raise NoStepSays("a loop without an end: write it as `while`")
    flag = _flag(node, inner, machine)
    said = _asked(asked, inner, machine)
    with machine.branch(None) as steps:
        machine.last = None
        with machine.loop(flag):
            run_block([(body, inner)], machine)
        if step is not None:
            evaluate(step, inner, machine)
    machine.last = None
    if steps:
        machine.emit({"while": f"{flag} and ({said})" if flag else said, "do": steps}, node, scope)


def _while(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    asked, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
    if asked is None or body is None:
        return
    promote_all([body], node, scope, machine)
    flag = _flag(node, scope, machine)
    if _asks_replies(asked, body, scope):
        _asked_after(node, asked, flag, scope, machine)
        return
    test = evaluate(asked, scope, machine)
    known = truth(test)
    if known is False:
        machine.accept(scope.module, body)
        return
    if known and not flag:
        raise NoStepSays("a loop without an end: write it as `while`")
    said = flag if known else expression(test, machine)
    steps = _in_loop(node, scope.inner(), machine, flag)
    if steps:
        both = f"{flag} and ({said})" if flag and not known else said
        machine.emit({"while": both, "do": steps}, node, scope)


def _asks_replies(asked: Node, body: Node, scope: K6Scope) -> bool:
    """Say whether a loop goes on by a reply to a request that it sends itself."""
    set_within = set(assigned_names([body]))
    names = [text_of(one) for one in walk(asked) if one.type == "identifier"]
    for name in names:
        found = scope.find(name)
        if name in set_within and found is not None and isinstance(found.value, JsReply):
            return True
    return False


def _asked_after(node: Node, asked: Node, flag: str, scope: K6Scope, machine: K6Machine) -> None:
    """Write a loop that asks after each round, and before the first by what is known then."""
    if flag:
        raise NoStepSays("a loop that ends in two ways: write it as `while`")
    name = machine.name("goes_on")
    first = _asked(asked, scope, machine)
    machine.emit({"set": {name: f"${{{first}}}"}}, node, scope)
    steps = _in_loop(node, scope.inner(), machine, name, asked)
    machine.emit({"while": name, "do": steps}, node, scope)


def _do(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Read `do … while`: a loop that asks after each round."""
    asked, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
    if asked is None or body is None:
        return
    promote_all([body], node, scope, machine)
    if _flag(node, scope, machine):
        raise NoStepSays("a loop that ends in two ways: write it as `while`")
    name = machine.name("goes_on")
    machine.emit({"set": {name: True}}, node, scope)
    steps = _in_loop(node, scope.inner(), machine, name, asked)
    machine.emit({"while": name, "do": steps}, node, scope)


LOOPS: Final = {
    "for_in_statement": _for_in,
    "for_statement": _for,
    "while_statement": _while,
    "do_statement": _do,
}
