"""The local modules that Python files import: only those below the first file's folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from planrunner.importers.sources import SourceFile

__all__ = ["with_imports"]

_MOST_MODULES: Final = 50


def with_imports(sources: list[SourceFile]) -> Iterator[SourceFile]:
    """Yield the files, and before each the local modules that it imports."""
    seen = {file.path.resolve() for file in sources if file.path is not None}
    root = sources[0].path.resolve().parent if sources and sources[0].path is not None else None
    pending, count = list(sources), 0
    while pending:
        file = pending.pop(0)
        yield file
        if root is None or file.path is None:
            continue
        for path in _imported(file, root):
            if path.resolve() not in seen and count < _MOST_MODULES:
                count += 1
                seen.add(path.resolve())
                shown = Path(sources[0].name).parent / path.relative_to(root)
                pending.append(SourceFile(path, str(shown)))


def _imported(file: SourceFile, root: Path) -> Iterator[Path]:
    """Yield the modules below a folder that a file imports."""
    assert file.path is not None, "the caller has looked"
    try:
        tree = ast.parse(file.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # said with its place when it is read
    own = file.path.resolve().parent
    for node in ast.walk(tree):
        for base, parts in _places(node, own, root):
            path = base.joinpath(*[part for part in parts if part])
            for found in (path.with_suffix(".py"), path / "__init__.py"):
                if found.is_file() and found.resolve().is_relative_to(root):
                    yield found


def _places(node: ast.AST, own: Path, root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield where the modules of an import may lie: a folder, and the parts of a path in it."""
    if isinstance(node, ast.Import):
        for one in node.names:
            yield root, one.name.split(".")
    elif isinstance(node, ast.ImportFrom):
        base = own if node.level else root
        for _ in range(node.level - 1):
            base = base.parent
        parts = (node.module or "").split(".")
        yield base, parts
        for one in node.names:
            yield base, [*parts, one.name]
