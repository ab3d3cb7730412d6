"""Functions that steps can call: read from Python files, of which nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.outside.outside_name import OutsideName

__all__ = ["functions_beside", "functions_of"]

_MOST: Final = 200
_LARGEST: Final = 500_000


def functions_beside(view: PlanView, name: str = "") -> Iterator[OutsideName]:
    """Yield the functions of the plan's hooks, and those of modules beside it.

    Args:
        view: The plan.
        name: One that a plan has, whose module may lie in a package; empty for all.
    """
    hooks = set[Path]()
    for file, reading in view.files.items():
        data = reading.tree.data
        named = data.get("hooks") if isinstance(data, dict) else None
        if isinstance(named, str):
            path = Path(file).parent / named
            hooks.add(path)
            yield from functions_of(path)
    folder = Path(view.file).parent
    module = name.partition(":")[0]
    if module:
        yield from functions_of(folder / f"{module.replace('.', '/')}.py", module)
        yield from functions_of(folder / module.replace(".", "/") / "__init__.py", module)
        return
    for path in sorted(folder.glob("*.py"))[:_MOST]:
        if path not in hooks:
            yield from functions_of(path, path.stem)


def functions_of(path: Path, module: str = "") -> Iterator[OutsideName]:
    """Yield the public functions of a Python file, as a plan calls them."""
    try:
        if path.stat().st_size > _LARGEST:
            return
        text = path.read_text("utf-8")
        body = ast.parse(text).body
    except (OSError, ValueError, SyntaxError, RecursionError):
        return
    lines = text.split("\n")
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            start = max(lines[node.lineno - 1].find(node.name), 0)
            yield OutsideName(
                f"{module}:{node.name}" if module else node.name,
                path,
                node.lineno - 1,
                start,
                start + len(node.name),
                f"{node.name}({ast.unparse(node.args)})",
                ast.get_docstring(node) or "",
            )
