"""Names of a function: those declared before it runs, and those that its branches set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from planrunner.importers.formats.k6.code.assignments import promote
from planrunner.importers.formats.k6.state.machine import K6Machine
from planrunner.importers.formats.k6.state.values import JsFunction, K6Scope, Variable
from planrunner.importers.javascript.script import text_of, walk

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["FUNCTIONS", "assigned_names", "function_name", "hoist", "promote_all"]

FUNCTIONS: Final = frozenset(
    {"arrow_function", "function_expression", "function_declaration", "method_definition"}
)
"""The kinds of nodes that are functions."""


def hoist(statements: Sequence[Node], scope: K6Scope) -> None:
    """Declare the functions of a block, which its first statement may call already."""
    for one in statements:
        inner = one.child_by_field_name("declaration") if one.type == "export_statement" else one
        if inner is not None and inner.type in (
            "function_declaration",
            "generator_function_declaration",
        ):
            name = text_of(inner.child_by_field_name("name"))
            scope.names[name] = Variable(JsFunction(inner, scope))


def assigned_names(code: Sequence[Node]) -> Iterator[str]:
    """Yield the names that code sets which it has not declared itself."""
    for node in code:
        for one in walk(node):
            if one.type in ("assignment_expression", "augmented_assignment_expression"):
                target = one.child_by_field_name("left")
            elif one.type == "update_expression":
                target = one.child_by_field_name("argument")
            else:
                continue
            if target is not None and target.type == "identifier":
                yield text_of(target)


def promote_all(code: Sequence[Node], node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Make names of the plan of those that a branch or a loop sets."""
    for name in dict.fromkeys(assigned_names(code)):
        found = scope.find(name)
        if found is not None and not (found.is_global and machine.part != "vu"):
            promote(found, name, node, scope, machine)


def function_name(node: Node) -> str:
    """Return the name of the function that a statement is in."""
    one: Node | None = node
    while one is not None:
        name = one.child_by_field_name("name")
        if one.type in (*FUNCTIONS, "variable_declarator") and name is not None:
            return text_of(name)
        one = one.parent
    return "result"
