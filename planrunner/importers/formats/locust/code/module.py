"""Python files as trees: each call is a construct, and what is said at the first level is known."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Construct, Ledger, SourcePlace

__all__ = ["LocustFunction", "LocustModule", "dotted", "parse"]

LocustFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class LocustModule:
    """The files of an import, read as one.

    Attributes:
        calls: The construct of each call.
        constants: What names of the first level are set to, once only.
        imported: What imported names stand for: `choice` → `random.choice`.
    """

    ledger: Ledger
    calls: dict[ast.AST, Construct] = field(default_factory=dict)
    files: dict[ast.AST, SourceFile] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, LocustFunction] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)
    loose: list[ast.stmt] = field(default_factory=list)
    _file: SourceFile | None = None
    _said: set[str] = field(default_factory=set)

    def place(self, node: ast.AST) -> SourcePlace:
        """Return where something stands."""
        assert self._file is not None, "a file is read before its nodes are asked about"
        file = self.files.get(node, self._file)
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
        found = next(self.within([node]), None)
        if found is None:
            found = self.ledger.add("statement", _first_line(node), self.place(node))
        found.changed(how)

    def change_once(self, how: str, node: ast.AST) -> None:
        """Judge code changed, unless it was said already."""
        if how not in self._said:
            self._said.add(how)
            self.change(how, node)

    def read(self, file: SourceFile) -> None:
        """Add a file."""
        self._file = self._file or file
        tree = parse(file)
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
                self.constants[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self.constants[name] = value
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self.functions[name] = node
            case ast.ClassDef(name=name):
                self.classes[name] = node
            case ast.Expr(value=ast.Constant()):
                pass
            case _:
                self.loose.append(node)

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
