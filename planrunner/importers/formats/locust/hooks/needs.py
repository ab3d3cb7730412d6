"""What code needs where it stands alone, and whether it only computes.

Code that only computes reads no file, sends nothing and starts nothing: all that it calls are
built-in functions, modules of Python that calculate, and code of the same kind.
"""

from __future__ import annotations

import ast
import builtins
import sys
from dataclasses import field
from typing import Final

from planrunner.importers.formats.locust.code.module import (
    LocustModule,
    names_bound,
    names_read,
)
from planrunner.importers.formats.locust.hooks.local_files import OPENER, with_files_beside
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.values import dataclass

__all__ = ["CodeNeeds"]

_MODULES: Final = frozenset(
    {"abc", "base64", "bisect", "calendar", "collections", "copy", "csv", "dataclasses", "datetime",
     "decimal", "enum", "faker", "fractions", "functools", "hashlib", "heapq", "hmac", "html",
     "itertools", "json", "math", "numbers", "operator", "random", "re", "secrets", "statistics",
     "string", "struct", "textwrap", "time", "types", "typing", "unicodedata", "urllib.parse",
     "uuid", "zlib", "zoneinfo", "__future__"}
)  # fmt: skip
_SINGLE: Final = frozenset(
    {"threading.Lock", "threading.RLock", "threading.local", "logging.getLogger", "logging.INFO",
     "logging.Logger", "gevent.lock.Semaphore", "gevent.lock.BoundedSemaphore", "os.getenv",
     "os.environ", "os.environ.get", "io.BytesIO", "io.StringIO"}
)  # fmt: skip
_PARTLY: Final = ("threading", "logging", "gevent", "urllib", "os", "io")
"""Modules of which only some names compute."""

_INNER: Final = ("urllib.parse", "collections.abc", "os.environ", "os.getenv")
_WAITS: Final = frozenset({"time.sleep"})
_UNSAFE: Final = frozenset(
    {"open", "exec", "eval", "compile", "__import__", "globals", "locals", "vars", "input",
     "breakpoint", "exit", "quit", "setattr", "delattr", "memoryview", "help"}
)  # fmt: skip
_BUILTINS: Final = frozenset(dir(builtins)) - _UNSAFE


@dataclass(slots=True)
class CodeNeeds:
    """What a piece of code needs of the files around it.

    Attributes:
        module: The files.
        imports: Lines that import what it names.
        definitions: Names of the first level that it needs, each behind what it needs itself.
        kept: The files around the test.
        obstacles: Why it can't be copied: what it needs that does more than compute.
    """

    module: LocustModule
    imports: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, ast.AST] = field(default_factory=dict)
    kept: KeptFiles | None = None
    obstacles: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def add(self, node: ast.AST, known: frozenset[str] = frozenset()) -> None:
        """Add what a piece of code needs; `known` are names that it gets."""
        node = with_files_beside(node, self.module, self.kept)
        self._look_for_obstacles(node)
        self._look_at_modules(node)
        bound = names_bound(node) | known
        for name in names_read(node):
            if name not in bound or _is_global(node, name):
                self.need(name)

    def _look_for_obstacles(self, node: ast.AST) -> None:
        for one in ast.walk(node):
            match one:
                case ast.Attribute():
                    self._look_at_attribute(one)
                case ast.Call(func=ast.Name(id="getattr"), args=[_, key, *_]) if not (
                    isinstance(key, ast.Constant)
                ):
                    self.obstacles.append("`getattr` of a computed name")
                case ast.Import(names=names) | ast.ImportFrom(names=names):
                    before = f"{one.module}." if isinstance(one, ast.ImportFrom) else ""
                    for each in names:
                        self._allow(f"{before}{each.name}")
                case ast.Await() | ast.Yield() | ast.YieldFrom():
                    self.obstacles.append("`await` or `yield`")
                case _:
                    pass

    def _look_at_modules(self, node: ast.AST) -> None:
        """Note modules that are used as values: what is done with them can't be seen."""
        bases = {one.value for one in ast.walk(node) if isinstance(one, ast.Attribute)}
        for one in ast.walk(node):
            if not isinstance(one, ast.Name) or one in bases:
                continue
            full = self.module.imported.get(one.id, "")
            is_module = full.partition(".")[0] in sys.stdlib_module_names and full == one.id
            if one.id in _UNSAFE or is_module:
                self.obstacles.append(f"`{one.id}`")

    def _look_at_attribute(self, node: ast.Attribute) -> None:
        full = self.module.full_name(node)
        if node.attr.startswith("__") and node.attr != "__init__":
            self.obstacles.append(f"`{node.attr}`")
        root, *words = full.split(".")
        if full in _WAITS or root in _PARTLY:
            self._allow(full)
        is_inner = any(one.strip("_") in sys.stdlib_module_names and one != root for one in words)
        if is_inner and root in self.module.imported.values() and full not in _INNER:
            self.obstacles.append(f"`{full}`")

    def _allow(self, full: str) -> None:
        """Note an obstacle unless a name of another module is one that calculates."""
        root = full.partition(".")[0]
        is_known = root in _MODULES or full.startswith("urllib.parse") or full in _SINGLE
        if not is_known or full in _WAITS:
            self.obstacles.append(f"`{full}`")

    def need(self, name: str) -> None:
        """Add what a name of the first level, an import or a built-in function needs."""
        module = self.module
        if name in self._seen:
            return
        self._seen.add(name)
        defined = (
            module.functions.get(name) or module.classes.get(name) or module.constants.get(name)
        )
        if name in module.remade_elsewhere:
            self.obstacles.append(f"`{name}`, which other code sets")
        elif defined is not None or name in module.loose_names:
            self._define(name, defined)
        elif name in module.imported:
            self._import(name, module.imported[name])
        elif name == OPENER:
            self.imports["Path"] = "from pathlib import Path"
        elif name not in _BUILTINS:
            self.obstacles.append(f"`{name}`")

    def _define(self, name: str, defined: ast.AST | None) -> None:
        if defined is not None:
            self.add(defined)
            self.definitions[name] = defined  # behind what it needs itself
        for number, one in enumerate(self.module.loose_names.get(name, ())):
            self._seen |= names_bound(one)
            self.add(one)
            self.definitions[f"{name} {number}"] = one

    def _import(self, name: str, full: str) -> None:
        before, _, last = full.rpartition(".")
        if full not in _PARTLY:
            self._allow(full)  # of those, what is named below them is looked at
        line = f"from {before} import {last}" if before else f"import {full}"
        self.imports[name] = line if name == last else f"{line} as {name}"


def _is_global(node: ast.AST, name: str) -> bool:
    return any(isinstance(one, ast.Global) and name in one.names for one in ast.walk(node))
