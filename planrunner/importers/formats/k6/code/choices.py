"""`switch` of a script: the case of a known value, a step `switch`, or one of several values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.k6.code.evaluation import evaluate
from planrunner.importers.formats.k6.code.scoping import promote_all
from planrunner.importers.formats.k6.code.statements import (
    EXITS,
    End,
    PlacedCode,
    has_exit,
    run_block,
    unsaid,
)
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsConst,
    JsUnknown,
    JsValue,
    K6Scope,
)
from planrunner.importers.formats.k6.terms.operators import binary, ternary
from planrunner.importers.formats.k6.terms.texts import expression
from planrunner.importers.javascript.constants import js_text

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["switch"]

JsCase = tuple[JsValue | None, PlacedCode, bool]


def switch(node: Node, scope: K6Scope, rest: PlacedCode, machine: K6Machine) -> End | None:
    """Read a `switch`: the case of a known value, or all of them."""
    asked = node.child_by_field_name("value")
    body = node.child_by_field_name("body")
    if asked is None or body is None:
        return run_block(rest, machine)
    value = evaluate(asked, scope, machine)
    cases = _cases(body, scope, machine)
    if isinstance(value, JsConst):
        return _chosen_case(value, cases, rest, machine)
    return _switched(node, value, cases, scope, rest, machine)


def _cases(body: Node, scope: K6Scope, machine: K6Machine) -> list[JsCase]:
    """Return the cases of a `switch`: the value, the code, and whether it ends there."""
    found: list[JsCase] = []
    for one in body.named_children:
        if one.type not in ("switch_case", "switch_default"):
            continue
        wanted = one.child_by_field_name("value")
        inner = [below for below in one.named_children if below != wanted]
        flat = [
            below
            for each in inner
            for below in (each.named_children if each.type == "statement_block" else [each])
        ]
        code = [(below, scope) for below in flat if below.type != "break_statement"]
        ends = any(below.type in EXITS for below in flat)
        found.append((evaluate(wanted, scope, machine) if wanted else None, code, ends))
    return found


def _chosen_case(
    value: JsConst,
    cases: list[JsCase],
    rest: PlacedCode,
    machine: K6Machine,
) -> End | None:
    """Read the case of a value that is known, and those that it falls through to."""
    wanted = [
        number
        for number, (one, _, _) in enumerate(cases)
        if isinstance(one, JsConst) and one.value == value.value
    ] or [number for number, (one, _, _) in enumerate(cases) if one is None]
    code: PlacedCode = []
    begins = wanted[0] if wanted else len(cases)
    for number, (_, inner, _) in enumerate(cases):
        is_run = begins <= number and not any(ends for _, _, ends in cases[begins:number])
        if is_run:
            code += inner
        else:
            for node, scope in inner:
                machine.accept(scope.module, node)
    return run_block([*code, *rest], machine)


def _switched(
    node: Node,
    value: JsValue,
    cases: list[JsCase],
    scope: K6Scope,
    rest: PlacedCode,
    machine: K6Machine,
) -> End | None:
    """Write a `switch` of which each case goes on behind it; others give one of several values."""
    if isinstance(value, JsUnknown):
        return unsaid(node, value.why, scope, rest, machine)
    code = [one for _, inner, _ in cases for one, _ in inner]
    if any(has_exit(one) for one in code):
        return _valued(node, value, cases, scope, rest, machine)
    promote_all(code, node, scope, machine)
    said: dict[str, list[DraftStep]] = {}
    waiting: list[str] = []
    for number, (wanted, inner, ends) in enumerate(cases):
        known = str(_key_of(wanted)) if wanted is not None else "else"
        waiting.append(known)
        if not inner and not ends:
            continue
        if not ends and number < len(cases) - 1:
            return unsaid(node, "cases that run into the next one", scope, rest, machine)
        with machine.branch(None) as steps:
            run_block(inner, machine)
        said.update(dict.fromkeys(waiting, steps or [DraftStep({"log": "nothing"})]))
        waiting = []
    machine.last = None
    machine.emit({"switch": expression(value, machine), "cases": said}, node, scope)
    return run_block(rest, machine)


def _key_of(value: JsValue) -> object:
    """Return the value of a case.

    Raises:
        NoStepSays: It isn't known beforehand.
    """
    if not isinstance(value, JsConst):
        raise NoStepSays("a case whose value only the run knows: write `if`")
    return js_text(value.value)


def _valued(
    node: Node,
    value: JsValue,
    cases: list[JsCase],
    scope: K6Scope,
    rest: PlacedCode,
    machine: K6Machine,
) -> End | None:
    """Return one of several values, where each case returns one and does nothing else."""
    found: JsValue = UNDEFINED
    for wanted, inner, _ in sorted(cases, key=lambda one: one[0] is not None):
        inner = [one for one in inner if one[0].type != "comment"]  # noqa: PLW2901
        if len(inner) != 1 or inner[0][0].type != "return_statement":
            return unsaid(node, "a `switch` with an early end", scope, rest, machine)
        with machine.branch() as steps:
            end = run_block(inner, machine)
        if steps or end is None:
            return unsaid(node, "a `switch` with an early end", scope, rest, machine)
        found = (
            end.value if wanted is None else ternary(binary("==", value, wanted), end.value, found)
        )
    return End("return", found)
