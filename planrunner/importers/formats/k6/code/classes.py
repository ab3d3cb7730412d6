"""Classes of a script, and enumerations and namespaces of TypeScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planrunner.importers.formats.k6.code.evaluation import evaluate
from planrunner.importers.formats.k6.code.scoping import hoist
from planrunner.importers.formats.k6.code.statements import run_block
from planrunner.importers.formats.k6.state.machine import K6Machine
from planrunner.importers.formats.k6.state.values import (
    JsClass,
    JsConst,
    JsFunction,
    JsObject,
    K6Scope,
    Variable,
)
from planrunner.importers.javascript.script import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["read_class", "read_enum", "read_namespace"]


def read_class(node: Node, scope: K6Scope, machine: K6Machine) -> JsClass:
    """Return a class with what it inherits from one of the script's."""
    name = text_of(node.child_by_field_name("name"))
    made = JsClass(name, {}, [], {}, scope)
    heritage = next((one for one in node.named_children if one.type == "class_heritage"), None)
    if heritage is not None and heritage.named_children:
        clause = heritage.named_children[0]
        inner = clause.child_by_field_name("value") if clause.type == "extends_clause" else clause
        above = evaluate(inner, scope, machine) if inner is not None else None
        made.above = above if isinstance(above, JsClass) else None
    body = node.child_by_field_name("body")
    for one in body.named_children if body is not None else []:
        _read_part(one, made, scope, machine)
    return made


def _read_part(node: Node, made: JsClass, scope: K6Scope, machine: K6Machine) -> None:
    is_static = any(one.type == "static" for one in node.children)
    if node.type == "method_definition":
        name = text_of(node.child_by_field_name("name"))
        function = JsFunction(node, scope)
        if is_static:
            made.statics[name] = function
        else:
            made.methods[name] = function
    elif node.type in ("field_definition", "public_field_definition"):
        key = node.child_by_field_name("property") or node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        if value is not None and is_static:
            made.statics[text_of(key)] = evaluate(value, scope, machine)
        elif value is not None:
            made.fields.append((text_of(key), value))


def read_enum(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Declare an enumeration: an object of its members, numbered where they have no value."""
    made = JsObject()
    number = 0
    body = node.child_by_field_name("body")
    for one in body.named_children if body is not None else []:
        value = one.child_by_field_name("value")
        key = one.child_by_field_name("name") or one
        found = evaluate(value, scope, machine) if value is not None else JsConst(number)
        if isinstance(found, JsConst) and isinstance(found.value, int):
            number = found.value + 1
        made.entries[text_of(key).strip("'\"")] = found
    scope.names[text_of(node.child_by_field_name("name"))] = Variable(made, is_global=True)


def read_namespace(node: Node, scope: K6Scope, machine: K6Machine) -> None:
    """Declare a namespace: an object of what it exports."""
    inner = scope.inner()
    body = node.child_by_field_name("body")
    statements = list(body.named_children) if body is not None else []
    hoist(statements, inner)
    code = [one.child_by_field_name("declaration") or one for one in statements]
    run_block([(one, inner) for one in code], machine)
    made = JsObject({name: one.value for name, one in inner.names.items()})
    name = text_of(node.child_by_field_name("name"))
    scope.names[name] = Variable(made, is_global=True)
