"""The outline of a plan, and what can be folded in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from lsprotocol import types

from planrunner.language.diagnostics import Span
from planrunner.lsp.documents.places import EditorLines
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.plan.yaml.places import entries

__all__ = ["folding_ranges", "symbols"]

_KINDS: Final[Mapping[str, types.SymbolKind]] = {
    "users": types.SymbolKind.Class,
    "tasks": types.SymbolKind.Function,
    "flows": types.SymbolKind.Function,
    "steps": types.SymbolKind.Method,
    "params": types.SymbolKind.Variable,
    "data": types.SymbolKind.Array,
    "phases": types.SymbolKind.Event,
    "thresholds": types.SymbolKind.Constant,
}
"""What stands below a key."""


def symbols(root: YamlNode, places: EditorLines) -> list[types.DocumentSymbol]:
    """Return the outline: each key with something below it, and each entry of a list."""
    return list(_symbols(root, "", places))


def _symbols(node: YamlNode, section: str, places: EditorLines) -> Iterator[types.DocumentSymbol]:
    kind = _KINDS.get(section, types.SymbolKind.Property)
    for key, (start, end), child in entries(node):
        if child.items is None and section not in _KINDS:
            continue
        begin = child.source.span(start, end) if isinstance(key, str) else _first_line(child)
        whole = child.source.span(min(start, child.start), max(end, _end_of(child)))
        yield types.DocumentSymbol(
            name=_name(key, child),
            kind=kind,
            range=places.range(whole),
            selection_range=places.range(begin),
            children=list(_symbols(child, key if isinstance(key, str) else "", places)),
        )


def _first_line(node: YamlNode) -> Span:
    """Return the first line of an entry."""
    said, *_ = node.source.text[node.start : node.end].split("\n", 1)
    return node.source.span(node.start, node.start + len(said.rstrip()))


def _name(key: str | int, child: YamlNode) -> str:
    if isinstance(key, str):
        return key or "?"
    if not isinstance(child.data, dict) or not child.data:
        return str(child.data)[:_LONGEST].strip() or f"{key + 1}"
    if isinstance(name := child.data.get("name"), str) and name.strip():
        return name[:_LONGEST]
    first, value = next(iter(child.data.items()))
    said = f" {value}" if isinstance(value, str | int | float) else ""
    return f"{first}{said}"[:_LONGEST].strip() or f"{key + 1}"


_LONGEST: Final = 60


def folding_ranges(root: YamlNode) -> list[types.FoldingRange]:
    """Return the lines of each mapping and list that has several."""
    return list(_folds(root))


def _folds(node: YamlNode) -> Iterator[types.FoldingRange]:
    for _, (start, _end), child in entries(node):
        first, last = child.source.line_of(start), child.source.line_of(_end_of(child) - 1)
        if last > first:
            yield types.FoldingRange(start_line=first - 1, end_line=last - 1)
        yield from _folds(child)


def _end_of(node: YamlNode) -> int:
    """Return where a value ends, without the lines behind it that say nothing."""
    return node.start + len(node.source.text[node.start : node.end].rstrip())
