"""Statements of a function → steps, and the value that the function gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.k6.code.assignments import bind
from planrunner.importers.formats.k6.code.evaluation import evaluate
from planrunner.importers.formats.k6.code.scoping import (
    FUNCTIONS,
    function_name,
    hoist,
    promote_all,
)
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsBranch,
    JsConst,
    JsExpr,
    JsOp,
    JsReply,
    JsUnknown,
    JsValue,
    K6Scope,
    Variable,
)
from planrunner.importers.formats.k6.terms.operators import negated, ternary, truth
from planrunner.importers.formats.k6.terms.texts import draws, expression, plan_value
from planrunner.importers.javascript.chains import body_of
from planrunner.importers.javascript.script import text_of
from planrunner.values import dataclass

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = [
    "EXITS",
    "FLOW",
    "STATEMENTS",
    "End",
    "PlacedCode",
    "has_exit",
    "run_block",
    "run_body",
    "unsaid",
]

EXITS: Final = frozenset(
    {"return_statement", "throw_statement", "continue_statement", "break_statement"}
)
_PARTIAL: Final = "what the check says of times, and what is left out of it, does not count in it"
_DEEP: Final = "code that is nested too deeply"
_MOST_DOUBLED: Final = 6
_THROWN = "what runs when code throws: a failed step of a plan is counted, and the next one runs"
PlacedCode = list[tuple["Node", K6Scope]]


@dataclass(slots=True)
class End:
    """How a block ends: `return`, `throw`, `continue`, `break`."""

    kind: str
    value: JsValue = UNDEFINED


def run_body(function: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    """Read the body of a function; returns what it gives."""
    body = function.child_by_field_name("body")
    if body is not None and body.type != "statement_block":
        return evaluate(body, scope, machine)
    statements = list(body_of(function) or ())
    hoist(statements, scope)
    end = run_block([(one, scope) for one in statements], machine)
    return end.value if end is not None else UNDEFINED


def run_block(code: PlacedCode, machine: K6Machine) -> End | None:
    """Read statements, each with its scope; returns how they end, if not at their end."""
    for number, (node, scope) in enumerate(code):
        machine.count()
        flow = machine.flows.get(node.type)
        if flow is not None:
            ended: End | None = flow(node, scope, code[number + 1 :], machine)
            return ended
        known = machine.statements.get(node.type)
        if known is not None:
            _tried(known, node, scope, machine)
        elif node.type in EXITS:
            return _exit(node, scope, machine)
    return None


def _tried(
    known: Callable[[Node, K6Scope, K6Machine], object],
    node: Node,
    scope: K6Scope,
    machine: K6Machine,
) -> None:
    """Read a statement; what can't be said is left out by name."""
    try:
        known(node, scope, machine)
    except (NoStepSays, RecursionError) as error:
        fault = error if isinstance(error, NoStepSays) else NoStepSays(_DEEP)
        calls = list(scope.module.within(node))
        if not any(one.fate is None for one in calls) and not machine.trial:
            words = " ".join(text_of(node).split())[:70]
            place = scope.module.place(node)
            machine.finding("statement", words, place, "left_out", fault.why)
        machine.leave_out(scope.module, fault.why, node)


def _exit(node: Node, scope: K6Scope, machine: K6Machine) -> End:
    kind = node.type.partition("_")[0]
    inner = node.named_children[0] if node.named_children else None
    if kind == "return" and inner is not None and inner.type != "comment":
        return End(kind, evaluate(inner, scope, machine))
    if kind == "throw":
        if inner is not None:
            machine.accept(scope.module, inner)
        if not machine.trial and machine.lists:
            what = "plan" if machine.part in ("setup", "teardown") else "iteration"
            machine.emit({"stop": what}, node, scope)
        return End(kind, JsConst(value=False) if machine.trial else UNDEFINED)
    if kind == "break" and machine.flags and machine.flags[-1] and not machine.trial:
        machine.emit({"set": {machine.flags[-1]: False}}, node, scope)
    return End(kind)


def _block(node: Node, scope: K6Scope, rest: PlacedCode, machine: K6Machine) -> End | None:
    return run_block([*_within(node, scope), *rest], machine)


def _within(node: Node | None, scope: K6Scope) -> PlacedCode:
    """Return the statements of a block, or a statement alone."""
    if node is None:
        return []
    if node.type == "else_clause":
        return _within(node.named_children[0] if node.named_children else None, scope)
    if node.type != "statement_block":
        return [(node, scope)]
    inner = scope.inner()
    hoist(node.named_children, inner)
    return [(one, inner) for one in node.named_children]


def _if(node: Node, scope: K6Scope, rest: PlacedCode, machine: K6Machine) -> End | None:
    asked = node.child_by_field_name("condition")
    then = node.child_by_field_name("consequence")
    other = node.child_by_field_name("alternative")
    try:
        test = evaluate(asked, scope, machine) if asked is not None else UNDEFINED
        said = _said(test, machine)
    except NoStepSays as fault:
        test, said = JsUnknown(fault.why), ("", "")
    if _is_partial(test) and not machine.trial:
        words = text_of(asked)[:70]
        machine.finding("condition", words, scope.module.place(node), "changed", _PARTIAL)
    known = truth(test)
    if known is not None:
        skipped = other if known else then
        if skipped is not None:
            machine.accept(scope.module, skipped)
        return run_block([*_within(then if known else other, scope), *rest], machine)
    if isinstance(test, JsUnknown):
        return unsaid(node, test.why, scope, rest, machine)
    if machine.is_deep:
        return unsaid(node, _DEEP, scope, rest, machine)
    branches = _within(then, scope), _within(other, scope)
    if not any(has_exit(one) for branch in branches for one, _ in branch):
        _both(node, test, said, branches, scope, machine)
        return run_block(rest, machine)
    return _split(node, test, said, branches, scope, rest, machine)


def _is_partial(test: JsValue) -> bool:
    """Say whether a condition asks for a check of which a plan can't say all in an expression."""
    if not isinstance(test, JsOp):
        return False
    if test.sign == "checked":
        return truth(test.operands[1]) is False
    return any(_is_partial(one) for one in test.operands)


def _said(test: JsValue, machine: K6Machine) -> tuple[str, str]:
    """Return a condition as an expression, and its opposite."""
    if truth(test) is not None or isinstance(test, JsUnknown):
        return "", ""
    return expression(test, machine), expression(negated(test), machine)


def unsaid(
    node: Node, why: str, scope: K6Scope, rest: PlacedCode, machine: K6Machine
) -> End | None:
    """Leave out a branch whose condition can't be said."""
    parts = [node.child_by_field_name(one) for one in ("consequence", "alternative")]
    found = [one for part in parts if part is not None for one in scope.module.within(part)]
    if machine.trial:
        return End("return", JsUnknown(why))
    for construct in found:
        construct.left_out(f"it stands under a condition: {why}")
    if not found:
        words = " ".join(text_of(node).split())[:70]
        machine.finding("statement", words, scope.module.place(node), "left_out", why)
    return run_block(rest, machine)


def has_exit(node: Node) -> bool:
    """Say whether a statement leaves the code around it somewhere."""
    if node.type in EXITS:
        return True
    return any(has_exit(one) for one in node.named_children if one.type not in FUNCTIONS)


def _always_exits(code: PlacedCode) -> bool:
    if not code:
        return False
    last = next((one for one, _ in reversed(code) if one.type != "comment"), None)
    if last is None:
        return False
    if last.type == "if_statement":
        scope = code[0][1]
        branches = [last.child_by_field_name(one) for one in ("consequence", "alternative")]
        return all(_always_exits(_within(one, scope)) for one in branches)
    return last.type in EXITS


def _both(
    node: Node,
    test: JsValue,
    said: tuple[str, str],
    branches: tuple[PlacedCode, PlacedCode],
    scope: K6Scope,
    machine: K6Machine,
) -> None:
    """Write an `if` of which both branches go on behind it."""
    promote_all([one for branch in branches for one, _ in branch], node, scope, machine)
    written: list[list[DraftStep]] = []
    for code, when in zip(branches, _whens(test, node), strict=True):
        with machine.branch(when) as steps:
            run_block(code, machine)
        written.append(steps)
    if any(_sends(one) for one in written):
        machine.last = None
    _write_if(node, said, written, scope, machine)


def _whens(test: JsValue, node: Node) -> tuple[JsBranch, JsBranch]:
    """Return when each branch of a statement runs."""
    return JsBranch(test, node.id), JsBranch(negated(test), node.id)


def _sends(steps: list[DraftStep]) -> bool:
    return any(not {"set", "log", "think"} & one.body.keys() for one in steps)


def _write_if(
    node: Node,
    said: tuple[str, str],
    written: list[list[DraftStep]],
    scope: K6Scope,
    machine: K6Machine,
) -> None:
    then, other = written
    if not then and not other:
        return
    if not then:
        said, then, other = said[::-1], other, []
    body: Keys = {"if": said[0], "then": then}
    machine.emit({**body, "else": other} if other else body, node, scope)


def _split(  # noqa: PLR0913, PLR0917 - a table
    node: Node,
    test: JsValue,
    said: tuple[str, str],
    branches: tuple[PlacedCode, PlacedCode],
    scope: K6Scope,
    rest: PlacedCode,
    machine: K6Machine,
) -> End | None:
    """Write an `if` with all that follows in its branches, because one of them ends early."""
    paths = [code if _always_exits(code) else [*code, *rest] for code in branches]
    if not any(_always_exits(code) for code in branches):
        machine.duplicated += 1
        if machine.duplicated > _MOST_DOUBLED:
            return unsaid(node, "an early end amid other code", scope, rest, machine)
    written: list[list[DraftStep]] = []
    ends: list[End] = []
    promote_all([one for path in branches for one, _ in path], node, scope, machine)
    for path, when in zip(paths, _whens(test, node), strict=True):
        with machine.branch(when) as steps:
            ends.append(run_block(path, machine) or End("end"))
        written.append(steps)
    value = _merged(node, test, ends, written, scope, machine)
    if any(_sends(one) for one in written):
        machine.last = None
    if not machine.trial:
        _write_if(node, said, written, scope, machine)
    kinds = {one.kind for one in ends}
    return End("return" if "return" in kinds else ends[0].kind, value)


def _merged(  # noqa: C901, PLR0911, PLR0912 - a table
    node: Node,
    test: JsValue,
    ends: list[End],
    written: list[list[DraftStep]],
    scope: K6Scope,
    machine: K6Machine,
) -> JsValue:
    """Return what a function gives that ends in two ways."""
    first, second = ends[0].value, ends[1].value
    if first is second or ends[1].kind == "throw":
        return first
    if ends[0].kind == "throw":
        return second
    if isinstance(first, JsReply) and isinstance(second, JsReply):
        return second.either(first)
    for one, other in ((first, second), (second, first)):
        if isinstance(one, JsReply) and isinstance(other, (JsConst, JsReply)):
            return one
    if isinstance(first, JsConst) and isinstance(second, JsConst) and first.value == second.value:
        return first
    is_pure = not any(written) and not draws(first) and not draws(second)
    if machine.trial or is_pure or isinstance(first, JsUnknown) or isinstance(second, JsUnknown):
        return ternary(test, first, second)
    try:
        said = [plan_value(one, machine) for one in (first, second)]
    except NoStepSays as fault:
        return JsUnknown(fault.why)
    name = machine.name(function_name(node))
    for steps, text in zip(written, said, strict=True):
        steps.append(DraftStep({"set": {name: text}}, origin=scope.module.place(node)))
    return JsExpr(name)


def _try(node: Node, scope: K6Scope, rest: PlacedCode, machine: K6Machine) -> End | None:
    handler = node.child_by_field_name("handler")
    if handler is not None:
        for construct in scope.module.within(handler):
            if construct.words.startswith(("console.", "JSON.stringify(")) or machine.trial:
                construct.translated()
            elif construct.fate is None:
                construct.left_out(_THROWN)
    final = node.child_by_field_name("finalizer")
    after = _within(final.child_by_field_name("body"), scope) if final is not None else []
    body = _within(node.child_by_field_name("body"), scope)
    return run_block([*body, *after, *rest], machine)


def _declaration(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    for one in node.named_children:
        pattern, inner = one.child_by_field_name("name"), one.child_by_field_name("value")
        if one.type != "variable_declarator" or pattern is None:
            continue
        try:
            value = evaluate(inner, scope, machine) if inner is not None else UNDEFINED
            bind(pattern, value, scope, machine)
        except NoStepSays as fault:
            bind(pattern, JsUnknown(fault.why), scope, machine)
            raise


def _expression(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    for one in node.named_children:
        if one.type == "binary_expression":
            _guarded(one, scope, machine)
        elif one.type != "comment":
            evaluate(one, scope, machine)


def _guarded(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Read `a && b()` as `if (a) b()`."""
    sign = text_of(node.child_by_field_name("operator"))
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if sign not in ("&&", "||") or left is None or right is None:
        evaluate(node, scope, machine)
        return
    test = evaluate(left, scope, machine)
    test = test if sign == "&&" else negated(test)
    known = truth(test)
    if known is None and not isinstance(test, JsUnknown):
        with machine.branch(JsBranch(test, node.id)) as steps:
            evaluate(right, scope, machine)
        if steps:
            machine.emit({"if": expression(test, machine), "then": steps}, node, scope)
    elif known:
        evaluate(right, scope, machine)


def _class(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    name = text_of(node.child_by_field_name("name"))
    scope.names[name] = Variable(machine.expressions["class"](node, scope, machine))


_ReadFlow = Callable[["Node", K6Scope, PlacedCode, K6Machine], "End | None"]
FLOW: Final[dict[str, _ReadFlow]] = {
    "statement_block": _block,
    "if_statement": _if,
    "try_statement": _try,
}
STATEMENTS: Final[dict[str, Callable[[Node, K6Scope, K6Machine], None]]] = {
    **dict.fromkeys(("lexical_declaration", "variable_declaration"), _declaration),
    "expression_statement": _expression,
    **dict.fromkeys(("class_declaration", "abstract_class_declaration"), _class),
}
