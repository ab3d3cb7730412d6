"""Code that no scenario has led to: reports, functions that nothing calls, and lost calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Final

from planrunner.importers.formats.k6.state.machine import K6Machine
from planrunner.importers.formats.k6.state.values import JsFunction, K6Module
from planrunner.importers.javascript.script import text_of, walk
from planrunner.loss.ledger import Construct
from planrunner.values import dataclass

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["judge_unread"]

_SUMMARY: Final = "`handleSummary` makes reports: choose them with `report: {formats: …}`"
_SENT: Final = "a summary is sent nowhere: see `notify` and `outputs`"
_DEAD: Final = "no scenario runs this function: it is never called"
_FUNCTIONS: Final = frozenset(
    {"function_declaration", "variable_declarator", "method_definition", "class_declaration"}
)
_SENDERS: Final = ("http.", "ws.", "grpc.", "fetch(")


@dataclass(slots=True)
class _NamedCode:
    """A function, method or class of a module, and the names that its code says."""

    name: str
    module: K6Module
    node: Node
    says: set[str] = field(default_factory=set)


def judge_unread(main: K6Module, machine: K6Machine, ran: set[str]) -> None:
    """Judge the calls that reading the scenarios has not judged."""
    modules = list(machine.modules.loaded.values())
    for one in modules:
        _summary(one, one is main, machine)
        if one.file.name in machine.libraries:
            machine.accept(one, one.script.root)
    calls = [call for one in modules for call in one.calls.values()]
    if len(calls) > _MOST_CALLS or all(call.fate is not None for call in calls):
        return
    code = [found for one in modules for found in _named_code(one)]
    dead = _dead(code, modules, main, ran)
    reports = dead - _dead(code, modules, main, {*ran, "handleSummary"})
    for each in code:
        for construct in each.module.within(each.node):
            if construct.fate is None and each.name in reports:
                _judge_report(construct)
            elif construct.fate is None:
                _judge(construct, each, is_main=each.module is main, is_dead=each.name in dead)


def _judge(construct: Construct, code: _NamedCode, *, is_main: bool, is_dead: bool) -> None:
    if not is_dead:
        construct.left_out(f"nothing that was read calls `{code.name}`: its call is left out")
    elif is_main:
        construct.suspicious(_DEAD)
    else:
        construct.translated()


def _summary(module: K6Module, is_main: bool, machine: K6Machine) -> None:  # noqa: FBT001
    """Judge what makes reports after a run: planrunner makes its own."""
    summary = module.exports.get("handleSummary")
    if not isinstance(summary, JsFunction):
        return
    for construct in summary.scope.module.within(summary.node):
        _judge_report(construct)
    if is_main:
        place = summary.scope.module.place(summary.node)
        machine.finding("report", "handleSummary", place, "needs_you", _SUMMARY)


def _judge_report(construct: Construct) -> None:
    """Judge a call that makes a report: planrunner makes its own, and sends none by itself."""
    if construct.words.startswith(_SENDERS):
        construct.left_out(_SENT)
    elif construct.fate is None:
        construct.translated()


def _named_code(module: K6Module) -> Iterator[_NamedCode]:
    """Yield what has a name and calls something; the outer ones come first."""
    default = module.exports.get("default")
    if isinstance(default, JsFunction) and default.node.child_by_field_name("name") is None:
        node = default.node
        yield _NamedCode("default", module, node, set(_said(node, node)))
    for node in walk(module.script.root):
        name = node.child_by_field_name("name")
        if node.type not in _FUNCTIONS or name is None or name.type not in _NAMES:
            continue
        yield _NamedCode(text_of(name), module, node, set(_said(node, name)))


_NOT_RUN: Final = frozenset({"import_statement", "function_declaration", "class_declaration"})
_FUNCTION_VALUES: Final = frozenset({"arrow_function", "function_expression"})
_SAID: Final = frozenset({"identifier", "property_identifier", "shorthand_property_identifier"})
_MOST_CALLS: Final = 20_000
"""Of a larger script, what nothing led to is left out without a look at why."""
_NAMES: Final = frozenset({"identifier", "property_identifier", "type_identifier"})


def _said(node: Node, name: Node) -> Iterator[str]:
    for one in walk(node):
        if one.type in _SAID and one != name:
            yield text_of(one)


def _dead(
    code: list[_NamedCode], modules: list[K6Module], main: K6Module, ran: set[str]
) -> set[str]:
    """Return the names of functions that no code says but such functions themselves."""
    first_level = {name for one in modules for name in _first_level(one)}
    first_level |= {"setup", "teardown", *ran}
    default = main.exports.get("default")
    if isinstance(default, JsFunction) and "default" in ran:
        first_level.add(text_of(default.node.child_by_field_name("name")))
    alive = {one.name for one in code} & first_level
    while True:
        more = {
            one.name
            for one in code
            if one.name not in alive
            and any(one.name in other.says for other in code if other.name in alive)
        }
        if not more:
            return {one.name for one in code} - alive
        alive |= more


def _first_level(module: K6Module) -> Iterator[str]:
    """Yield the names that a module says outside of functions."""
    for node in module.script.root.named_children:
        inner = node.child_by_field_name("declaration") or node
        value = node.child_by_field_name("value")
        if inner.type in _NOT_RUN or (value is not None and value.type in _FUNCTION_VALUES):
            continue
        if node.type == "export_statement" and inner is node and value is None:
            continue
        if inner.type in ("lexical_declaration", "variable_declaration"):
            for one in inner.named_children:
                value = one.child_by_field_name("value")
                if value is not None and value.type not in (
                    "arrow_function",
                    "function_expression",
                ):
                    yield from _said(value, value)
        else:
            yield from _said(inner, inner)
