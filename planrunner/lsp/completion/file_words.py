"""Files relative to a plan, and the functions of its Python files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lsprotocol import types

from planrunner.lsp.completion.offers import WordOffer
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.grammar.files import file_endings

__all__ = ["file_words", "function_words", "functions_of"]

_MOST: Final = 200
_LARGEST: Final = 500_000


def file_words(folder: Path, slot: str, typed: str) -> Iterator[WordOffer]:
    """Yield the files that a value may name, one folder at a time."""
    ends = file_endings(slot)
    if ends is None:
        return
    above, _, _last = typed.rpartition("/")
    start = len(typed) - len(above) - 1 if above else len(typed)
    try:
        found = sorted((folder / above).iterdir())[:_MOST]
    except (OSError, ValueError):
        return
    for path in found:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield WordOffer(f"{path.name}/", types.CompletionItemKind.Folder, start=start)
        elif not ends or path.suffix in ends:
            yield WordOffer(path.name, types.CompletionItemKind.File, start=start)


def function_words(view: PlanView) -> Iterator[WordOffer]:
    """Yield the functions of the plan's hooks, and those of modules beside it."""
    root = view.reading.tree.data
    hooks = root.get("hooks") if isinstance(root, dict) else None
    folder = Path(view.file).parent
    kind = types.CompletionItemKind.Function
    if isinstance(hooks, str):
        for name, form in functions_of(folder / hooks):
            yield WordOffer(name, kind, f"{form}, of {hooks}")
    for path in sorted(folder.glob("*.py"))[:_MOST]:
        if path.name != hooks:
            for name, form in functions_of(path):
                yield WordOffer(f"{path.stem}:{name}", kind, form)


def functions_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the public functions of a Python file, with their signatures; nothing is imported."""
    try:
        if path.stat().st_size > _LARGEST:
            return
        body = ast.parse(path.read_text("utf-8")).body
    except (OSError, ValueError, SyntaxError, RecursionError):
        return
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node.name, f"{node.name}({ast.unparse(node.args)})"
