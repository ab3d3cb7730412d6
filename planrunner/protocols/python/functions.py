"""Which functions Python files have, without running them: plans of strangers are checked too."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Final

from planrunner.language.diagnostics import suggest

__all__ = [
    "NAME",
    "find_module",
    "functions_in",
    "lacking",
    "missing_modules",
    "source_functions",
    "spec_in",
]

NAME: Final = r"(?:[A-Za-z_][\w.]*:)?[A-Za-z_][\w.]*"
"""What a plan may call: `function`, or `package.module:function`."""

_ANYTHING: Final = "*"


def functions_in(source: bytes) -> frozenset[str] | None:
    """Return what a Python file defines or imports at its top level; it isn't run.

    None where only running it would tell: with `from … import *`, or a `__getattr__`.

    Raises:
        SyntaxError: It is no Python.
        ValueError: It holds bytes that no source file can.
    """
    found = frozenset(_defined(ast.parse(source).body))
    return None if found & {_ANYTHING, "__getattr__"} else found


source_functions = lru_cache(maxsize=64)(functions_in)
"""The same, for a file that many steps call: it is read once."""


def _defined(body: list[ast.stmt]) -> Iterator[str]:  # noqa: C901, PLR0912 - a table
    for statement in body:
        match statement:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield name
            case ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)
            case ast.Import(names=names):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
            case ast.Assign(targets=targets):
                yield from (name for target in targets for name in _assigned(target))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.If(body=then, orelse=otherwise) | ast.For(body=then, orelse=otherwise):
                yield from _defined(then)
                yield from _defined(otherwise)
            case ast.With(body=inner):
                yield from _defined(inner)
            case ast.Try(body=attempted, handlers=handlers, orelse=rest, finalbody=last):
                for inner in (attempted, *(handler.body for handler in handlers), rest, last):
                    yield from _defined(inner)
            case _:
                pass


def _assigned(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for inner in target.elts:
            yield from _assigned(inner)


def find_module(name: str, folders: Sequence[Path]) -> ModuleSpec | None:
    """Return where a module would be imported from; nothing is imported, its packages neither."""
    importlib.invalidate_caches()  # a file may have been written a moment ago
    top, *inner = name.split(".")
    spec = spec_in([str(folder) for folder in folders], top) or _installed(top)
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = spec_in(spec.submodule_search_locations, f"{spec.name}.{part}")
    return spec


def missing_modules(source: bytes, folders: Sequence[Path]) -> Iterator[tuple[int, str]]:
    """Yield which modules a file imports as it begins that aren't here, each with its line.

    What it does about them, or about the path of imports, isn't known: then none is named.
    """
    if b"sys.path" in source:
        return
    for statement in ast.parse(source).body:
        match statement:
            case ast.Import(names=names):
                named = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), level=0):
                named = [module]
            case _:
                continue
        for name in named:
            if find_module(name, folders) is None:
                yield statement.lineno, name


def spec_in(folders: Iterable[str], name: str) -> ModuleSpec | None:
    """Return where one of the folders has a module, without importing the packages around it.

    `PathFinder` asks those for the parts of a package without `__init__.py`.
    """
    import pkgutil  # noqa: PLC0415 - many plans have no Python

    parts: list[str] = []
    for folder in folders:
        finder = pkgutil.get_importer(folder)
        spec: ModuleSpec | None = None if finder is None else finder.find_spec(name)
        if spec is not None and spec.loader is not None:
            return spec
        if spec is not None:
            parts += spec.submodule_search_locations or ()
    if not parts:
        return None
    package = ModuleSpec(name, None, is_package=True)
    package.submodule_search_locations = parts
    return package


def _installed(top: str) -> ModuleSpec | None:
    # Not by `importlib.util.find_spec`, which takes what another plan has imported.
    for finder in sys.meta_path:
        if (find_spec := getattr(finder, "find_spec", None)) is not None:
            spec: ModuleSpec | None = find_spec(top, None)
            if spec is not None:
                return spec
    return None


def lacking(name: str, folders: Sequence[Path]) -> tuple[str, str] | None:
    """Return what is certainly wrong with `package.module:function`: a message and a hint.

    None where the function is there, and where only importing its module would tell.

    Args:
        name: As the plan calls it.
        folders: Where modules of the plan's author may lie.
    """
    module, _, function = name.partition(":")
    spec = find_module(module, folders)
    if spec is None:
        return f"there is no module `{module}`", _like_module(module, folders)
    if not isinstance(spec.loader, SourceFileLoader) or spec.origin is None:
        return None
    try:
        known = source_functions(Path(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        return f"`{spec.origin}`{line} is not valid Python: {what}", ""
    first = function.partition(".")[0]
    if known is None or first in known:
        return None
    return f"`{module}` has no function `{first}`", hint_for(first, known)


def hint_for(name: str, known: frozenset[str]) -> str:
    """Return the function that was meant, or which there are."""
    public = sorted(one for one in known if not one.startswith("_"))
    return suggest(name, public) or "functions: " + (", ".join(public[:10]) or "none")


def _like_module(module: str, folders: Sequence[Path]) -> str:
    here = sorted({path.stem for folder in folders for path in folder.glob("*.py")})
    place = f"a module is a file beside the plan, such as `{module.partition('.')[0]}.py`, or of an"
    return suggest(module, here) or f"{place} installed package"
