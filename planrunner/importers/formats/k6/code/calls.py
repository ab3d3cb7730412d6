"""Calls: functions of the script are read in the place of the call, others by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.k6.code.assignments import bind
from planrunner.importers.formats.k6.code.evaluation import evaluate
from planrunner.importers.formats.k6.code.statements import run_body
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.objects import (
    JsChoice,
    JsDate,
    JsExpectation,
    JsForm,
    JsSession,
    JsSocket,
)
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsClass,
    JsConst,
    JsExpr,
    JsFile,
    JsFunction,
    JsMetric,
    JsNative,
    JsObject,
    JsOp,
    JsPart,
    JsReply,
    JsRows,
    JsText,
    JsUnknown,
    JsValue,
    K6Scope,
)
from planrunner.importers.formats.k6.terms.members import member
from planrunner.importers.javascript.chains import arguments_of, bare
from planrunner.importers.javascript.script import text_of
from planrunner.values import dataclass

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["CALLS", "NativeCall", "invoke", "predicate"]

_DEEPEST: Final = 24


@dataclass(slots=True, eq=False)
class NativeCall:
    """A call of something of k6 or JavaScript itself.

    Attributes:
        of: What it is a method of.
        name: As it is called: `http.get`, `includes`.
    """

    node: Node
    name: str
    arguments: list[JsValue]
    nodes: tuple[Node, ...]
    of: JsValue
    scope: K6Scope
    machine: K6Machine

    def argument(self, number: int) -> JsValue:
        """Return an argument; nothing where it isn't given."""
        return self.arguments[number] if number < len(self.arguments) else UNDEFINED

    def run(self, function: JsValue, arguments: list[JsValue]) -> JsValue:
        """Read a function that was given to the call."""
        return invoke(function, arguments, self.node, self.scope, self.machine)

    def change(self, how: str) -> None:
        """Say that the call means something else in the plan."""
        self.machine.change(self.scope.module, self.node, how)


def _call(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    construct = scope.module.construct(node)
    try:
        value = _value_of(node, scope, machine)
    except NoStepSays as fault:
        value = JsUnknown(fault.why)
    if construct is not None:
        if isinstance(value, JsUnknown) and value.is_mistake:
            construct.suspicious(value.why)
        elif isinstance(value, JsUnknown):
            construct.left_out(value.why)
            machine.leave_out(scope.module, value.why, *arguments_of(node))
        else:
            construct.translated()
    return value


def _value_of(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:  # noqa: C901, PLR0911, PLR0912 - a table
    field = "function" if node.type == "call_expression" else "constructor"
    function = node.child_by_field_name(field)
    if function is None:
        return JsUnknown("a call without a name")
    function = bare(function)
    of: JsValue = UNDEFINED
    name = ""
    if function.type == "member_expression":
        owner = function.child_by_field_name("object")
        assert owner is not None, "a member has an owner"
        name = text_of(function.child_by_field_name("property"))
        if owner.type == "super":
            return _super(name, node, scope, machine)
        of = evaluate(owner, scope, machine)
        if isinstance(of, JsUnknown):
            return of
        method = _method(of, name)
        if method is not None:
            return _native(method, of, node, scope, machine)
        callee = member(of, JsConst(name), machine)
    elif function.type == "super":
        return _super("constructor", node, scope, machine)
    else:
        callee = evaluate(function, scope, machine)
    if isinstance(callee, JsNative):
        return _native(callee.path, of, node, scope, machine)
    if isinstance(callee, (JsFunction, JsClass, JsChoice)):
        arguments = _arguments(node, scope, machine)
        if isinstance(of, (JsObject, JsClass)) and isinstance(callee, JsFunction):
            callee = JsFunction(
                callee.node, callee.scope, of if callee.this is None else callee.this
            )
        return invoke(callee, arguments, node, scope, machine)
    if isinstance(callee, JsUnknown):
        return callee
    words = text_of(function)[:40]
    return JsUnknown(f"a call of `{words}`: write it as a step, or as a function of a hook")


def _method(of: JsValue, name: str) -> str | None:  # noqa: C901, PLR0911, PLR0912 - a table
    """Return what a method of a value is called in the table of natives."""
    match of:
        case JsMetric():
            return f"Metric.{name}"
        case JsExpectation():
            return f"Expect.{name}"
        case JsDate():
            return f"Date.{name}"
        case JsSocket():
            return f"Socket.{name}"
        case JsForm(kind=kind):
            return f"{kind}.{name}"
        case JsSession():
            return f"Session.{name}"
        case JsPart(kind="html"):
            return f"Html.{name}"
        case JsReply():
            return f"Reply.{name}"
        case JsNative():
            return None
        case JsObject():
            made = name in of.entries or (of.made_by is not None and of.made_by.method(name))
            return None if made else f"Object.{name}"
        case JsArray() | JsRows():
            return f"List.{name}"
        case JsClass() | JsFunction():
            return f"Function.{name}" if isinstance(of, JsFunction) else None
        case JsConst() | JsText() | JsExpr() | JsPart() | JsOp() | JsFile():
            return f"Value.{name}"
        case _:
            return f"Value.{name}"


def _arguments(node: Node, scope: K6Scope, machine: K6Machine) -> list[JsValue]:
    found: list[JsValue] = []
    for one in arguments_of(node):
        if one.type == "spread_element":
            inner = evaluate(one.named_children[0], scope, machine)
            found += inner.items if isinstance(inner, JsArray) else [inner]
        else:
            found.append(evaluate(one, scope, machine))
    return found


def _native(path: str, of: JsValue, node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    handler = machine.natives.get(path)
    name = path.rpartition(".")[2]
    while handler is None and path.count(".") and path.partition(".")[0] in _WILD:
        path = path.rpartition(".")[0]
        handler = machine.natives.get(f"{path}.*")
    if handler is None:
        for one in arguments_of(node):
            evaluate(one, scope, machine)
        shown = path.removeprefix("Value.").removeprefix("npm:")
        return JsUnknown(f"`{shown}` has no counterpart: write it as a function of a hook")
    arguments = _arguments(node, scope, machine)
    return handler(NativeCall(node, name, arguments, arguments_of(node), of, scope, machine))


_WILD: Final = frozenset({"browser", "faker", "reporter", "summary"})


def _super(name: str, node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    this = scope.own()
    arguments = _arguments(node, scope, machine)
    made_by = this.made_by if isinstance(this, JsObject) else None
    above = made_by.above if made_by is not None else None
    method = above.method(name) if above is not None else None
    if method is None:
        return UNDEFINED
    return invoke(JsFunction(method.node, method.scope, this), arguments, node, scope, machine)


def invoke(  # noqa: C901, PLR0911, PLR0912 - a table
    function: JsValue, arguments: list[JsValue], node: Node, scope: K6Scope, machine: K6Machine
) -> JsValue:
    """Read the code of a function with its arguments; returns what it gives."""
    if isinstance(function, JsClass):
        return _construct(function, arguments, node, scope, machine)
    if isinstance(function, JsNative):
        handler = machine.natives.get(function.path)
        if handler is None:
            return JsUnknown(f"`{function.path}` has no counterpart")
        name = function.path.rpartition(".")[2]
        return handler(NativeCall(node, name, arguments, (), UNDEFINED, scope, machine))
    if isinstance(function, JsUnknown):
        return function
    if isinstance(function, JsChoice):
        return _choose(function, arguments, node, scope, machine)
    if not isinstance(function, JsFunction):
        return JsUnknown("a call of something that is not a function")
    if function.node.id in machine.calls or len(machine.calls) > _DEEPEST:
        return JsUnknown("a function that calls itself: write the steps, or a `while`")
    written = machine.called(function, arguments, node, scope)
    if written is not None:
        return written
    inner = function.scope.inner(function.this)
    _bind_parameters(function.node, arguments, inner, machine)
    machine.calls.append(function.node.id)
    try:
        return run_body(function.node, inner, machine)
    finally:
        machine.calls.pop()
        machine.end(function)


def _choose(
    choice: JsChoice, arguments: list[JsValue], node: Node, scope: K6Scope, machine: K6Machine
) -> JsValue:
    """Write a `choose` of what each of several functions does."""
    counted: list[tuple[JsValue, int]] = []
    for one in choice.items:
        weight = sum(1 for other in choice.items if _is_same(other, one))
        if not any(_is_same(one, other) for other, _ in counted):
            counted.append((one, weight))
    options: list[Keys] = []
    for function, weight in counted:
        with machine.branch(None) as steps:
            invoke(function, arguments, node, scope, machine)
        options.append({"weight": weight, "do": steps or [DraftStep({"log": "nothing"})]})
    machine.last = None
    machine.emit({"choose": options}, node, scope)
    return UNDEFINED


def _is_same(one: JsValue, other: JsValue) -> bool:
    both = isinstance(one, JsFunction) and isinstance(other, JsFunction)
    return one is other or (both and one.node == other.node)  # type: ignore[attr-defined]


def _bind_parameters(
    function: Node, arguments: list[JsValue], inner: K6Scope, machine: K6Machine
) -> None:
    single = function.child_by_field_name("parameter")
    listed = function.child_by_field_name("parameters")
    patterns = [single] if single is not None else listed.named_children if listed else []
    patterns = [one for one in patterns if one.type != "comment"]
    for number, pattern in enumerate(patterns):
        if pattern.type == "rest_pattern":
            bind(pattern, JsArray(arguments[number:], machine.depth), inner, machine)
        else:
            value = arguments[number] if number < len(arguments) else UNDEFINED
            bind(pattern, value, inner, machine)
            _bind_field(pattern, value, inner)


def _bind_field(pattern: Node, value: JsValue, inner: K6Scope) -> None:
    """Set the field that `constructor(private base: string)` of TypeScript declares."""
    named = pattern.child_by_field_name("pattern")
    declares = any(one.type in ("accessibility_modifier", "readonly") for one in pattern.children)
    this = inner.own()
    if declares and named is not None and isinstance(this, JsObject):
        this.entries[text_of(named)] = value


def _construct(
    made_by: JsClass, arguments: list[JsValue], node: Node, scope: K6Scope, machine: K6Machine
) -> JsValue:
    this = JsObject(made_by=made_by, depth=machine.depth)
    chain: list[JsClass] = []
    one: JsClass | None = made_by
    while one is not None and len(chain) < _DEEPEST:
        chain.append(one)
        one = one.above
    for each in reversed(chain):
        for name, value in each.fields:
            this.entries[name] = evaluate(value, each.scope.inner(this), machine)
    method = made_by.method("constructor")
    if method is not None:
        invoke(JsFunction(method.node, method.scope, this), arguments, node, scope, machine)
    return this


def predicate(
    function: JsValue, arguments: list[JsValue], node: Node, scope: K6Scope, machine: K6Machine
) -> JsValue:
    """Return what a function gives that may write no step."""
    machine.trial += 1
    try:
        return invoke(function, arguments, node, scope, machine)
    finally:
        machine.trial -= 1


CALLS: Final = {"call_expression": _call, "new_expression": _call}
