"""Declarations and assignments: names that are known, and those that become names of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.k6.code.evaluation import evaluate
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.objects import JsDate, JsSocket
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsExpr,
    JsFunction,
    JsNative,
    JsObject,
    JsOp,
    JsPart,
    JsReply,
    JsStore,
    JsUnknown,
    JsValue,
    K6Scope,
    Variable,
    plain,
)
from planrunner.importers.formats.k6.terms.members import member
from planrunner.importers.formats.k6.terms.operators import binary, truth
from planrunner.importers.formats.k6.terms.texts import draws, is_number, part_name, plan_value
from planrunner.importers.javascript.chains import bare
from planrunner.importers.javascript.script import text_of, walk

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["ASSIGNMENTS", "assign", "bind", "promote", "settled"]


_ENDS_THE_RUN: Final = frozenset({"exitOnError"})


def bind(pattern: Node, value: JsValue, scope: K6Scope, machine: K6Machine) -> None:  # noqa: C901, PLR0912 - a table
    """Declare the names of a pattern in a scope."""
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        name = text_of(pattern)
        value = settled(value, name, pattern, scope, machine)
        is_global = scope.above is None
        scope.names[name] = Variable(value, machine.depth, is_global=is_global)
    elif pattern.type == "object_pattern":
        _bind_object(pattern, value, scope, machine)
    elif pattern.type == "array_pattern":
        items = [one for one in pattern.named_children if one.type != "comment"]
        for number, one in enumerate(items):
            bind(one, member(value, JsConst(number), machine), scope, machine)
    elif pattern.type in ("assignment_pattern", "object_assignment_pattern"):
        _bind_default(pattern, value, scope, machine)
    elif pattern.type in ("required_parameter", "optional_parameter"):
        inner = pattern.child_by_field_name("pattern")
        default = pattern.child_by_field_name("value")
        if default is not None and _is_missing(value):
            value = evaluate(default, scope, machine)
        if inner is not None:
            bind(inner, value, scope, machine)
    elif pattern.type == "rest_pattern" and pattern.named_children:
        bind(pattern.named_children[0], value, scope, machine)


def _is_missing(value: JsValue) -> bool:
    return isinstance(value, JsConst) and value.value is None


def _bind_default(pattern: Node, value: JsValue, scope: K6Scope, machine: K6Machine) -> None:
    left, right = pattern.child_by_field_name("left"), pattern.child_by_field_name("right")
    if _is_missing(value) and right is not None:
        value = evaluate(right, scope, machine)
    if left is not None:
        bind(left, value, scope, machine)


def _bind_object(pattern: Node, value: JsValue, scope: K6Scope, machine: K6Machine) -> None:
    for one in pattern.named_children:
        if one.type == "shorthand_property_identifier_pattern":
            bind(one, member(value, JsConst(text_of(one)), machine), scope, machine)
        elif one.type == "pair_pattern":
            key, inner = one.child_by_field_name("key"), one.child_by_field_name("value")
            if key is not None and inner is not None:
                name = text_of(key).strip("'\"")
                bind(inner, member(value, JsConst(name), machine), scope, machine)
        elif one.type == "object_assignment_pattern":
            left = one.child_by_field_name("left")
            _bind_default(one, member(value, JsConst(text_of(left)), machine), scope, machine)


def settled(value: JsValue, name: str, node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:  # noqa: C901, PLR0911 - a table
    """Return a value that stays what it is: what is drawn is set first."""
    if not (draws(value) or _is_long(value)) or machine.trial:
        return value
    if machine.part == "init" or not machine.lists or _only_clock(value, name, node):
        return value
    if isinstance(value, JsOp) and value.sign == "json":
        return JsOp("json", [settled(value.operands[0], name, node, scope, machine)])
    if isinstance(value, JsObject) and not value.name:
        for key, one in value.entries.items():
            value.entries[key] = settled(one, key, node, scope, machine)
        return value
    if isinstance(value, JsArray) and not value.name:
        value.items = [settled(one, name, node, scope, machine) for one in value.items]
        return value
    if isinstance(value, JsDate):
        value.milliseconds = settled(value.milliseconds, name, node, scope, machine)
        return value
    made = machine.name(name)
    machine.emit({"set": {made: plan_value(value, machine)}}, node, scope)
    if isinstance(value, JsExpr):
        return JsExpr(made, value.kind or "text", sent=value.sent)
    return JsExpr(made, "number" if is_number(value) else "text")


def _is_long(value: JsValue) -> bool:
    """Say whether a value is a choice that is better made once, and read by its name."""
    return isinstance(value, JsOp) and value.sign == "?" and value.unset is None


def _only_clock(value: JsValue, name: str, node: Node) -> bool:
    """Say whether a name is a clock that is only read to see how much time has passed."""
    if not isinstance(value, JsExpr) or value.kind != "clock":
        return False
    block: Node | None = node
    while block is not None and block.type not in ("statement_block", "program"):
        block = block.parent
    uses = [
        one
        for one in (walk(block) if block is not None else ())
        if one.type == "identifier" and text_of(one) == name and one.parent is not None
    ]
    declared = ("variable_declarator", "assignment_expression")
    others = [one.parent for one in uses if one.parent and one.parent.type not in declared]
    return all(
        one.type == "binary_expression" and text_of(one.child_by_field_name("operator")) == "-"
        for one in others
    )


def promote(found: Variable, name: str, node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Make a name of the script one of the plan, because branches set it."""
    if found.name or machine.trial:
        return
    if isinstance(found.value, (JsFunction, JsNative, JsReply)):
        return
    if found.is_global:
        made = machine.name(name)
        machine.keep(made, plan_value(found.value, machine))
        found.name = made
        return
    if not machine.lists:
        return
    try:
        said = plan_value(found.value, machine)
    except NoStepSays:
        return
    found.name = machine.name(name)
    step = DraftStep({"set": {found.name: said}}, origin=scope.module.place(node))
    machine.lists[max(0, min(found.depth, len(machine.lists)) - 1)].append(step)


def assign(target: Node, value: JsValue, node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    """Give a name or a property a value; returns it."""
    target = bare(target)
    if target.type == "identifier":
        return _assign_name(text_of(target), value, node, scope, machine)
    if target.type in ("object_pattern", "array_pattern"):
        bind(target, value, scope, machine)
        return value
    owner = target.child_by_field_name("object")
    if owner is None:
        return value
    of = evaluate(owner, scope, machine)
    index = target.child_by_field_name("index")
    key = (
        evaluate(index, scope, machine)
        if index is not None
        else JsConst(text_of(target.child_by_field_name("property")))
    )
    return _assign_member(of, key, value, node, scope, machine)


def _assign_name(  # noqa: PLR0911 - a table
    name: str, value: JsValue, node: Node, scope: K6Scope, machine: K6Machine
) -> JsValue:
    found = scope.find(name)
    if found is None:
        scope.module.scope.names[name] = Variable(value, is_global=True)
        return value
    if found.is_global and machine.part == "setup":
        found.of_setup = True
        return value
    if found.is_global and machine.part == "vu":
        machine.written.add(name)
    if not found.name and found.depth == machine.depth and not found.is_global:
        found.value = settled(value, name, node, scope, machine)
        return found.value
    if isinstance(value, JsUnknown) or machine.trial or machine.part == "init":
        found.value = value
        return value
    if isinstance(value, JsReply):
        return _assign_reply(found, value, machine)
    promote(found, name, node, scope, machine)
    if not found.name:
        found.value = value
        return value
    return _write(found.name, value, node, scope, machine)


def _assign_reply(found: Variable, value: JsReply, machine: K6Machine) -> JsReply:
    """Give a name a reply in a branch: it is this one, or one of another branch or from before."""
    if found.name:
        for steps in machine.lists:
            steps[:] = [one for one in steps if one.body.get("set") != {found.name: None}]
        found.name = ""
    before = found.value
    found.value = value.either(before) if isinstance(before, JsReply) else value
    return value


def _write(name: str, value: JsValue, node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    """Set a name of the plan; a part of the reply just got is extracted into it."""
    is_fresh = (
        isinstance(value, JsPart)
        and value.kind == "json"
        and (value.kind, *value.path) not in value.reply.extracted
        and value.reply.steps is machine.lists[-1]
    )
    if is_fresh and isinstance(value, JsPart):
        part_name(value, machine, name)
        extracted = value.reply.extracted[value.kind, *value.path]
        value = JsExpr(extracted)
    machine.emit({"set": {name: plan_value(value, machine)}}, node, scope)
    return JsExpr(name)


def _assign_member(
    of: JsValue, key: JsValue, value: JsValue, node: Node, scope: K6Scope, machine: K6Machine
) -> JsValue:
    try:
        name = str(plain(key, unset=True))
    except LookupError:
        raise NoStepSays("a key that is known only when the plan runs") from None
    if isinstance(of, JsObject):
        before = of.entries.get(name, UNDEFINED)
        if of.depth < machine.depth and machine.part != "init" and not machine.trial:
            value = _changed_entry(of, name, before, value, node, scope, machine)
        of.entries[name] = settled(value, name, node, scope, machine)
        return of.entries[name]
    found = _set_outside(of, name, value, node, scope, machine)
    if found is not None:
        return found
    raise NoStepSays("a property of something that the plan doesn't have: use `set`")


def _exported(value: JsValue) -> dict[str, JsValue]:
    """Return what a module of CommonJS exports at once."""
    return value.entries if isinstance(value, JsObject) else {"default": value}


def _set_outside(
    of: JsValue, name: str, value: JsValue, node: Node, scope: K6Scope, machine: K6Machine
) -> JsValue | None:
    """Return what a property is that a script sets on something of k6; None for anything else."""
    if isinstance(of, JsUnknown):
        return of
    if isinstance(of, JsStore):
        return of.write(name, value, node, scope)
    if isinstance(of, JsNative) and of.path in ("module", "exports", "module.exports"):
        is_all = (of.path, name) == ("module", "exports")
        scope.module.exports.update(_exported(value) if is_all else {name: value})
        return value
    if isinstance(of, JsSocket):
        if isinstance(value, JsFunction):
            of.handlers.setdefault(name.removeprefix("on"), []).append(value)
        return value
    if isinstance(of, JsNative) and of.path.startswith("chai"):
        if name in _ENDS_THE_RUN and truth(value):
            why = "a broken expectation does not end the run: see `abort` of a threshold"
            machine.finding("setting", name, scope.module.place(node), "changed", why)
        return value
    return None


def _changed_entry(  # noqa: PLR0913, PLR0917 - a table
    of: JsObject,
    key: str,
    before: JsValue,
    value: JsValue,
    node: Node,
    scope: K6Scope,
    machine: K6Machine,
) -> JsValue:
    """Return what a key of an object is that a branch may change."""
    if isinstance(value, (JsFunction, JsReply, JsUnknown, JsObject, JsArray)):
        return value
    holder = Variable(before, of.depth)
    if isinstance(before, JsExpr) and before.text in machine.taken:
        holder.name = before.text
    promote(holder, key, node, scope, machine)
    return _write(holder.name, value, node, scope, machine) if holder.name else value


def _assignment(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return UNDEFINED
    value = evaluate(right, scope, machine)
    if node.type == "augmented_assignment_expression":
        sign = text_of(node.child_by_field_name("operator"))[:-1]
        value = binary(sign, evaluate(left, scope, machine), value)
    return assign(left, value, node, scope, machine)


def _update(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    target = node.child_by_field_name("argument")
    if target is None:
        return UNDEFINED
    is_before = text_of(node)[:2] not in ("++", "--")
    known = machine.counted(text_of(target), scope, is_before=is_before)
    if known is not None:
        return known
    before = evaluate(target, scope, machine)
    sign = text_of(node.child_by_field_name("operator"))[:1]
    after = assign(target, binary(sign, before, JsConst(1)), node, scope, machine)
    return before if is_before and isinstance(before, JsConst) else after


ASSIGNMENTS = {
    **dict.fromkeys(("assignment_expression", "augmented_assignment_expression"), _assignment),
    "update_expression": _update,
}
