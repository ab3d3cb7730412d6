"""Python files as trees: each call is a construct, and what is said at the first level is known."""

from __future__ import annotations

import ast
import copy
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Construct, Ledger, SourcePlace

__all__ = [
    "CHANGES",
    "LocustFunction",
    "LocustModule",
    "changed_by",
    "dotted",
    "names_bound",
    "names_read",
    "parse",
]

CHANGES: Final = frozenset(
    {"append", "add", "update", "pop", "remove", "discard", "extend", "insert", "clear",
     "setdefault", "popitem", "sort", "reverse", "appendleft", "popleft", "put", "put_nowait",
     "get_nowait", "rotate"}
)  # fmt: skip
"""Methods that change what they belong to."""

LocustFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class LocustModule:
    """The files of an import, read as one.

    Attributes:
        calls: The construct of each call.
        constants: What names of the first level are set to, once only.
        imported: What imported names stand for: `choice` → `random.choice`.
        shadowed: Classes by those of the same name that take their place.
        loose: Other code of the first level.
        assigned: Everything that names of the first level are set to, in any file.
        trees: The files' code.
        given: Values that a person has to give, by their names.
        main: The file that was read first.
        said: What `change_once` has said.
    """

    ledger: Ledger
    calls: dict[ast.AST, Construct] = field(default_factory=dict)
    files: dict[ast.AST, SourceFile] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, LocustFunction] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    shadowed: dict[ast.ClassDef, ast.ClassDef] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)
    loose: list[ast.stmt] = field(default_factory=list)
    assigned: list[ast.expr] = field(default_factory=list)
    trees: list[ast.Module] = field(default_factory=list)
    given: dict[str, Construct] = field(default_factory=dict)
    main: SourceFile | None = None
    said: set[str] = field(default_factory=set)

    @cached_property
    def changed(self) -> frozenset[str]:
        """Names of the first level whose values code changes, after all files are read."""
        found = {name for one in self.loose for name in changed_by(one)}
        for part in [*self.functions.values(), *self.classes.values()]:
            for one in ast.walk(part):
                if isinstance(one, LocustFunction):
                    found |= changed_by(one) - names_bound(one)
        return frozenset(found & self.constants.keys()) | self.remade | self.loose_names.keys()

    @cached_property
    def changed_attributes(self) -> frozenset[str]:
        """Dotted names whose values code sets or changes: `Config.hosts`, `self.token`."""
        stored = {
            dotted(one)
            for tree in self.trees
            for one in ast.walk(tree)
            if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)
        }
        return frozenset(stored.union(*(changed_by(tree) for tree in self.trees)))

    def class_value(self, owner: str, attribute: str) -> ast.expr | None:
        """Return what a class sets an attribute to, where no other code sets or changes it."""
        for one in self.classes[owner].body:
            match one:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ) if name == attribute:
                    is_kept = f"{owner}.{attribute}" not in self.changed_attributes
                    return value if is_kept else None
                case _:
                    pass
        return None

    def method(self, name: str) -> LocustFunction | None:
        """Return a static or class method by its name: `Api.login`; None for others."""
        owner, _, last = name.rpartition(".")
        for one in self.classes[owner].body if owner in self.classes else ():
            if isinstance(one, LocustFunction) and one.name == last:
                words = [dotted(each) for each in one.decorator_list]
                return one if {"staticmethod", "classmethod"} & {*words} else None
        return None

    @cached_property
    def remade(self) -> frozenset[str]:
        """Names of the first level that functions set anew."""
        return frozenset(
            name
            for one in [*self.functions.values(), *self.classes.values()]
            for inner in ast.walk(one)
            if isinstance(inner, ast.Global)
            for name in inner.names
        )

    @cached_property
    def remade_elsewhere(self) -> frozenset[str]:
        """Those that users or listeners set anew, not only functions that compute."""
        parts: list[ast.AST] = [*self.classes.values(), *self.loose]
        parts += [
            one
            for one in self.functions.values()
            if any("events." in ast.unparse(each) for each in one.decorator_list)
        ]
        seen: set[str] = set()
        waiting = parts[len(self.classes) :]  # what users call is copied, or read with them
        while waiting:
            for name in names_read(waiting.pop()):
                if name in self.functions and name not in seen:
                    seen.add(name)
                    waiting.append(self.functions[name])
        parts += [self.functions[name] for name in seen]
        return frozenset(
            name
            for part in parts
            for one in ast.walk(part)
            if isinstance(one, ast.Global)
            for name in one.names
        )

    @cached_property
    def loose_names(self) -> dict[str, list[ast.stmt]]:
        """Names that other code of the first level sets or fills, with that code."""
        found: dict[str, list[ast.stmt]] = {}
        for one in self.loose:
            if isinstance(one, ast.If) and "__name__" in ast.unparse(one.test):
                continue
            stored = {
                inner.id
                for inner in ast.walk(one)
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
            }
            for name in stored | changed_by(one):
                found.setdefault(name, []).append(one)
        return found

    def place(self, node: ast.AST) -> SourcePlace:
        """Return where something stands."""
        assert self.main is not None, "a file is read before its nodes are asked about"
        file = self.files.get(node, self.main)
        return file.place(getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1)

    def within(self, nodes: Sequence[ast.AST]) -> Iterator[Construct]:
        """Yield the constructs of calls in some pieces of code."""
        for node in nodes:
            for one in ast.walk(node):
                if one in self.calls:
                    yield self.calls[one]

    def accept(self, *nodes: ast.AST) -> None:
        """Judge every call in some code: translated."""
        for construct in self.within(nodes):
            construct.translated()

    def leave_out(self, why: str, *nodes: ast.AST) -> None:
        """Judge every call in some code: left out; code without a call is one construct."""
        found = list(self.within(nodes))
        if not found and nodes:
            found = [self.ledger.add("statement", _first_line(nodes[0]), self.place(nodes[0]))]
        for construct in found:
            construct.left_out(why)

    def change(self, how: str, node: ast.AST) -> None:
        """Judge code: in the plan, with another meaning."""
        self._first_of(node).changed(how)

    def needs_you(self, what: str, *nodes: ast.AST) -> None:
        """Judge every call in some code: a person has to add something."""
        for one in [*self.within(nodes)] or [self._first_of(nodes[0])]:
            one.needs_you(what)

    def _first_of(self, node: ast.AST) -> Construct:
        found = next(self.within([node]), None)
        return found or self.ledger.add("statement", _first_line(node), self.place(node))

    def source(self, node: ast.AST) -> str:
        """Return code as its author wrote it, where it still stands in a file."""
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0) or 0
        file = self.files.get(node)
        if file is None or not first <= last or not isinstance(node, ast.stmt):
            return ast.unparse(node)
        return textwrap.dedent("\n".join(file.text.split("\n")[first - 1 : last]))

    def dry(self) -> LocustModule:
        """Return the same files with a ledger that nobody will read."""
        _ = self.changed, self.loose_names, self.changed_attributes  # kept by both
        made = copy.copy(self)
        made.ledger, made.calls, made.given, made.said = Ledger(), {}, {}, {*self.said}
        return made

    def change_once(self, how: str, node: ast.AST) -> None:
        """Judge code changed, unless it was said already."""
        if how not in self.said:
            self.said.add(how)
            self.change(how, node)

    def read(self, file: SourceFile) -> None:
        """Add a file."""
        self.main = self.main or file
        tree = parse(file)
        self.trees.append(tree)
        for node in ast.walk(tree):
            self.files[node] = file
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        for node in sorted(calls, key=lambda one: (one.lineno, one.col_offset)):
            self.calls[node] = self.ledger.add("call", _first_line(node), self.place(node))
        for statement in tree.body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:  # noqa: C901, PLR0912 - a table
        match node:
            case ast.Import(names=names):
                for one in names:
                    self.imported[one.asname or one.name.partition(".")[0]] = (
                        one.name if one.asname else one.name.partition(".")[0]
                    )
            case ast.ImportFrom(module=module, names=names):
                for one in names:
                    self.imported[one.asname or one.name] = f"{module or ''}.{one.name}"
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._constant(name, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._constant(name, value)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self.functions[name] = node
            case ast.ClassDef(name=name):
                if name in self.classes:
                    self.shadowed[node] = self.classes[name]
                self.classes[name] = node
            case ast.Expr(value=ast.Constant()):
                pass
            case _:
                self.loose.append(node)

    def _constant(self, name: str, value: ast.expr) -> None:
        self.constants[name] = value
        self.assigned.append(value)

    def full_name(self, node: ast.expr) -> str:
        """Return the dotted name of what code names, imports followed; empty for other code."""
        name = dotted(node)
        first, dot, rest = name.partition(".")
        return self.imported.get(first, first) + dot + rest


def parse(file: SourceFile) -> ast.Module:
    """Read a file as Python 3.

    Raises:
        ImportFault: It isn't.
    """
    try:
        return ast.parse(file.text)
    except SyntaxError as error:
        hint = ""
        if "print" in str(error) or "except" in str(error) or "octal" in str(error):
            hint = "this looks like Python 2: convert it with `2to3` first"
        place = file.place(error.lineno or 1, max(error.offset or 1, 1))
        raise ImportFault(place, f"not Python 3: {error.msg}", hint=hint) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ImportFault(file.name, f"not Python: {error}") from error


def changed_by(code: ast.AST) -> set[str]:
    """Return the names, dotted ones too, whose values code changes where they are."""
    found: set[str] = set()
    for one in ast.walk(code):
        match one:
            case ast.Call(func=ast.Attribute(value=inner, attr=attr)) if attr in CHANGES:
                found.add(dotted(_base(inner)))
            case ast.Subscript(value=inner, ctx=ast.Store() | ast.Del()):
                found.add(dotted(_base(inner)))
            case ast.Attribute(value=inner, ctx=ast.Store() | ast.Del()):
                found.add(dotted(inner))
            case _:
                pass
    return found - {""}


def _base(node: ast.expr) -> ast.expr:
    """Return what `a` is in `a[0]["x"]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for code that says so, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _first_line(node: ast.AST) -> str:
    text = ast.unparse(node).partition("\n")[0]
    return text if len(text) <= 80 else f"{text[:77]}..."


def names_read(node: ast.AST) -> dict[str, None]:
    """Return the names that code reads, in its order."""
    found: dict[str, None] = {}
    for one in ast.walk(node):
        match one:
            case (
                ast.Name(id=name, ctx=ast.Load() | ast.Del())
                | ast.AugAssign(target=ast.Name(id=name))
            ):
                found[name] = None
            case _:
                pass
    return found


def names_bound(node: ast.AST) -> frozenset[str]:
    """Return the names that code sets for itself, those within its functions included."""
    return frozenset(_bound(node))


def _bound(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        match one:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str() as name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case _:
                pass
