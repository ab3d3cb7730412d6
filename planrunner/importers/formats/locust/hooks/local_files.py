"""Files that code reads: those that lie beside it are copied, and read from beside the hooks."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from planrunner.importers.formats.locust.code.module import LocustModule
from planrunner.importers.reading.kept_files import KeptFiles

__all__ = ["HELPER", "OPENER", "with_files_beside"]

OPENER: Final = "open_beside"
HELPER: Final = f'''\
def {OPENER}(name, *args, **more):
    """Open a file that lies beside this one."""
    return open(Path(__file__).parent / name, *args, **more)
'''
_READING: Final = ("r", "rt", "rb", "br", "r+b")
_THERE: Final = ("os.path.exists", "os.path.isfile")
_SAME: Final = ("os.path.abspath", "os.path.realpath", "pathlib.Path", "str", "os.fspath")


def with_files_beside(node: ast.AST, module: LocustModule, kept: KeptFiles | None) -> ast.AST:
    """Return a copy of code whose files are read from beside the plan, where they are copied."""
    made = copy.deepcopy(node)
    return made if kept is None else _FilesBeside(module, kept).visit(made)


class _FilesBeside(ast.NodeTransformer):
    def __init__(self, module: LocustModule, kept: KeptFiles) -> None:
        self.module, self.kept = module, kept

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Return the call of a file that is there, from beside the plan."""
        self.generic_visit(node)
        name = self.module.full_name(node.func)
        if name == "open" and node.args and self._only_reads(node):
            return self._opened(node, node.args[0], node.args[1:])
        if name in _THERE and node.args:
            return self._there(node, node.args[0])
        if isinstance(node.func, ast.Attribute):
            return self._method(node, node.func)
        return node

    def _method(self, node: ast.Call, func: ast.Attribute) -> ast.AST:
        if func.attr in ("exists", "is_file") and not node.args:
            return self._there(node, func.value)
        if func.attr == "open" and self._only_reads(ast.Call(func, [func.value, *node.args], [])):
            return self._opened(node, func.value, node.args)
        mode = {"read_text": [], "read_bytes": [ast.Constant(value="rb")]}.get(func.attr)
        if mode is None:
            return node
        opened = self._opened(node, func.value, mode)
        if opened is node:
            return node
        return ast.Call(
            func=ast.Attribute(value=opened, attr="read", ctx=ast.Load()), args=[], keywords=[]
        )

    def _only_reads(self, node: ast.Call) -> bool:
        modes = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "mode")]
        return all(isinstance(one, ast.Constant) and one.value in _READING for one in modes)

    def _opened(self, node: ast.Call, path: ast.expr, rest: Sequence[ast.expr]) -> ast.expr:
        beside = self._beside(path)
        if beside is None:
            return node
        name = ast.Name(id=OPENER, ctx=ast.Load())
        args: list[ast.expr] = [ast.Constant(value=beside), *rest]
        return ast.Call(func=name, args=args, keywords=node.keywords)

    def _there(self, node: ast.Call, path: ast.expr) -> ast.expr:
        return node if self._beside(path) is None else ast.Constant(value=True)

    def _beside(self, node: ast.expr) -> str | None:
        """Return the path beside the plan of a file that is there."""
        path = self._path(node)
        if path is None or self.kept.find(str(path)) is None:
            return None
        return self.kept.copied(str(path))

    def _path(self, node: ast.expr) -> PurePosixPath | None:
        match node:
            case ast.Constant(value=str() as text) | ast.Name(id="__file__" as text):
                return PurePosixPath(text)
            case ast.Name(id=name) if name not in self.module.changed:
                constant = self.module.constants.get(name)
                return None if constant is None else self._path(constant)
            case ast.Attribute(value=inner, attr="parent"):
                below = self._path(inner)
                return None if below is None else below.parent
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._joined([left, right])
            case ast.Call():
                return self._path_of_call(node)
            case _:
                return None

    def _path_of_call(self, node: ast.Call) -> PurePosixPath | None:
        name = self.module.full_name(node.func)
        if name == "os.path.join":
            return self._joined(node.args)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("resolve", "absolute"):
            return self._path(node.func.value)
        below = self._path(node.args[0]) if len(node.args) == 1 else None
        if below is None or name not in (*_SAME, "os.path.dirname"):
            return None
        return below.parent if name == "os.path.dirname" else below

    def _joined(self, parts: list[ast.expr]) -> PurePosixPath | None:
        found = [self._path(one) for one in parts]
        known = [one for one in found if one is not None]
        return PurePosixPath(*known) if len(known) == len(found) else None
