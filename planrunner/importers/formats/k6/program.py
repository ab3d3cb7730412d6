"""The first level of modules: imports, exports, constants and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planrunner.importers.formats.k6.code.assignments import ASSIGNMENTS
from planrunner.importers.formats.k6.code.calls import CALLS, NativeCall
from planrunner.importers.formats.k6.code.choices import switch
from planrunner.importers.formats.k6.code.classes import read_class, read_enum, read_namespace
from planrunner.importers.formats.k6.code.expressions import EXPRESSIONS
from planrunner.importers.formats.k6.code.loops import LOOPS
from planrunner.importers.formats.k6.code.scoping import hoist
from planrunner.importers.formats.k6.code.statements import FLOW, STATEMENTS, run_block
from planrunner.importers.formats.k6.library.chai import expected_member
from planrunner.importers.formats.k6.natives import NATIVES, native_module
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.modules import K6Modules
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsConst,
    JsNative,
    JsObject,
    JsUnknown,
    JsValue,
    K6Module,
    K6Scope,
    Variable,
)
from planrunner.importers.formats.k6.terms.members import member
from planrunner.importers.javascript.script import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["equip", "new_machine", "read_module"]

_NO_FILE: Final = "it is not among the files of the import: add it"


def new_machine(modules: K6Modules) -> K6Machine:
    """Return a machine that knows all kinds of code, and all that k6 brings."""
    machine = K6Machine(modules)
    equip(machine)
    machine.natives = {**NATIVES, "require": _require, "Object.defineProperty": _define}
    machine.expectation_word = expected_member
    return machine


def equip(machine: K6Machine) -> None:
    """Let a machine know all kinds of code."""
    machine.expressions = {
        **EXPRESSIONS,
        **ASSIGNMENTS,
        **CALLS,
        "class": read_class,
        "internal_module": _namespace,
    }
    machine.statements = {
        **STATEMENTS,
        **LOOPS,
        "enum_declaration": read_enum,
        **dict.fromkeys(("internal_module", "module"), read_namespace),
    }
    machine.flows = {**FLOW, "switch_statement": switch}


def _namespace(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    read_namespace(node, scope, machine)
    return UNDEFINED


def read_module(module: K6Module, machine: K6Machine) -> None:
    """Read a module's first level, imported modules first."""
    statements = list(module.script.root.named_children)
    for node in statements:
        if node.type == "import_statement":
            _import(node, module, machine)
    hoist(statements, module.scope)
    is_tired = False
    for node in statements:
        if is_tired and node.type != "export_statement":
            continue
        try:
            if node.type == "export_statement":
                _export(node, module, machine)
            else:
                run_block([(node, module.scope)], machine)
        except (NoStepSays, RecursionError) as error:
            is_tired = is_tired or isinstance(error, NoStepSays)
            machine.work = 0
            why = getattr(error, "why", "code that is nested too deeply")
            place = module.place(node)
            machine.finding("script", module.file.name, place, "left_out", why)


def _source(node: Node) -> str:
    found = node.child_by_field_name("source")
    return text_of(found)[1:-1] if found is not None else ""


def _exports_of(source: str, node: Node, module: K6Module, machine: K6Machine) -> JsValue:
    """Return what a module gives: an object of its exports, or something of k6."""
    native = native_module(source)
    file = machine.modules.find(source, module.file)
    if native is not None:
        if file is not None:
            machine.libraries.add(machine.modules.load(file).file.name)
        return JsNative(native)
    if file is None:
        place = module.place(node)
        words = f"import '{source}'"
        machine.finding("import", words, place, "needs_you", _NO_FILE)
        return JsUnknown(f"`{source}` is not among the files of the import: add it")
    known = machine.modules.loaded.get(
        str(file.path.resolve()) if file.path is not None else file.name
    )
    loaded = known or machine.modules.load(file)
    if known is None:
        read_module(loaded, machine)
    return JsObject(loaded.exports)


def _require(call: NativeCall) -> JsValue:
    """Return what `require` gives: a module as `import * as` names it."""
    source = call.argument(0)
    if not (isinstance(source, JsConst) and isinstance(source.value, str)):
        return JsUnknown("a module whose name only the run knows")
    return _exports_of(source.value, call.node, call.scope.module, call.machine)


def _define(call: NativeCall) -> JsValue:
    """Let compilers say that a module of CommonJS was another kind of module."""
    of, name = call.argument(0), call.argument(1)
    is_mark = isinstance(name, JsConst) and name.value == "__esModule"
    if is_mark and isinstance(of, JsNative) and of.path in ("exports", "module.exports"):
        return of
    return JsUnknown("`Object.defineProperty` has no counterpart")


def _import(node: Node, module: K6Module, machine: K6Machine) -> None:
    if node.child_by_field_name("source") is None:
        return
    source = _source(node)
    found = _exports_of(source, node, module, machine)
    clause = next((one for one in node.named_children if one.type == "import_clause"), None)
    for one in clause.named_children if clause is not None else []:
        if one.type == "identifier":
            _declare(module, text_of(one), _member(machine, found, "default"))
        elif one.type == "namespace_import":
            _declare(module, text_of(one.named_children[-1]), found)
        elif one.type == "named_imports":
            for each in one.named_children:
                name = each.child_by_field_name("name")
                alias = each.child_by_field_name("alias") or name
                _declare(module, text_of(alias), _member(machine, found, text_of(name)))


def _declare(module: K6Module, name: str, value: JsValue) -> None:
    module.scope.names[name] = Variable(value)


def _member(machine: K6Machine, of: JsValue, name: str) -> JsValue:
    if isinstance(of, JsNative):
        return of if name == "default" else member(of, JsConst(name), machine)
    if isinstance(of, JsObject):
        return of.entries.get(name) or JsUnknown(f"`{name}` is not exported where it is imported")
    return of


def _export(node: Node, module: K6Module, machine: K6Machine) -> None:
    declaration = node.child_by_field_name("declaration")
    value = node.child_by_field_name("value")
    is_default = any(one.type == "default" for one in node.children)
    if declaration is not None:
        run_block([(declaration, module.scope)], machine)
        names = _declared(declaration)
        for name in names:
            found = module.scope.find(name)
            if found is not None:
                module.exports["default" if is_default else name] = found.value
    elif value is not None and is_default:
        module.exports["default"] = (
            machine.expressions[value.type](value, module.scope, machine)
            if value.type in machine.expressions
            else JsUnknown("an export")
        )
    else:
        _export_names(node, module, machine)


def _declared(node: Node) -> list[str]:
    name = node.child_by_field_name("name")
    if name is not None:
        return [text_of(name)]
    found = []
    for one in node.named_children:
        inner = one.child_by_field_name("name")
        if inner is not None:
            found.append(text_of(inner))
    return found


def _export_names(node: Node, module: K6Module, machine: K6Machine) -> None:
    """Read `export { a, b as c }` and `export { a } from './x'`, and `export * from`."""
    origin = None
    if node.child_by_field_name("source") is not None:
        origin = _exports_of(_source(node), node, module, machine)
    if any(one.type == "*" for one in node.children) and isinstance(origin, JsObject):
        module.exports.update(origin.entries)
    clause = next((one for one in node.named_children if one.type == "export_clause"), None)
    for one in clause.named_children if clause is not None else []:
        name = one.child_by_field_name("name")
        alias = one.child_by_field_name("alias") or name
        if origin is not None:
            module.exports[text_of(alias)] = _member(machine, origin, text_of(name))
        else:
            found = module.scope.find(text_of(name))
            if found is not None:
                module.exports[text_of(alias)] = found.value
