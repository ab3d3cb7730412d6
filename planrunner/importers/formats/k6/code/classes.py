"""Classes of a script: their methods and fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planrunner.importers.formats.k6.code.evaluation import evaluate
from planrunner.importers.formats.k6.state.machine import K6Machine
from planrunner.importers.formats.k6.state.values import JsClass, JsFunction, K6Scope
from planrunner.importers.javascript.script import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["read_class"]


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
