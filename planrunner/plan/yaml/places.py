"""Where a finding is, as Python programs write it: `phases[0].hold` in place of line and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from planrunner.language.diagnostics import Span
from planrunner.plan.yaml.document import Document, PlanPath
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.values import dataclass

__all__ = ["ArgumentNames", "Renamed", "entries", "path_at", "written_path"]

Renamed = Mapping[PlanPath, PlanPath]
"""Places in the text of a plan that Python writes in another way, and how."""


@dataclass(frozen=True, slots=True)
class ArgumentNames:
    """What the places of a plan are called whose text Python wrote: nobody knows its lines.

    Attributes:
        file: What the text is called.
    """

    file: str
    renamed: Renamed = field(default_factory=dict)

    def of(self, path: PlanPath) -> str:
        """Return the argument of `Plan()` that has what stands at a path."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.renamed:
                path = (*self.renamed[path[:end]], *path[end:])
                break
        return written_path(path) or "Plan()"


def path_at(document: Document, span: Span) -> PlanPath:
    """Return the path of the key or value that a span is in; empty for the plan as a whole."""
    begin, end = (span.line, span.column), (span.end_line, span.end_column)
    node = document.root
    path: PlanPath = ()
    while True:
        for key, head, child in entries(node):
            places = [_place(node, offset) for offset in head]
            is_key = places[0] <= begin and end <= places[1]
            if is_key or (_place(child, child.start) <= begin and end <= _place(child, child.end)):
                path, node = (*path, key), child
                break
        else:
            return path


def written_path(path: PlanPath) -> str:
    """Return a path as Python programs read it: `phases[0].hold`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _place(node: YamlNode, offset: int) -> tuple[int, int]:
    span = node.source.span(offset)
    return span.line, span.column


def entries(node: YamlNode) -> Iterator[tuple[str | int, tuple[int, int], YamlNode]]:
    """Yield each key or index, where the key begins and ends, and its value."""
    if isinstance(node.items, dict):
        for key, (begin, end, child) in node.items.items():
            yield key, (begin, end), child
    elif isinstance(node.items, list):
        for index, child in enumerate(node.items):
            yield index, (child.start, child.start), child
