"""What can be read of a text: its tree and its names, once for all features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types

from planrunner.lsp.documents.half_typed import read_tree
from planrunner.lsp.documents.places import EditorLines
from planrunner.lsp.grammar.shapes import ValueShape, shape_of_defaults, shape_of_plan
from planrunner.lsp.grammar.visits import node_at
from planrunner.lsp.names.file_names import names_of_file
from planrunner.lsp.names.kinds import Occurrence
from planrunner.plan.defaults.file import is_defaults
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.plan.yaml.places import entries
from planrunner.plan.yaml.source import Source
from planrunner.values import dataclass

__all__ = ["PlanReading", "read_plan"]


@dataclass(frozen=True, slots=True)
class PlanReading:
    """A text that could be read, at least in part.

    Attributes:
        tree: What its lines mean, without those that aren't YAML yet.
        names: Every place of a name, in the order of the text.
    """

    text: str
    tree: YamlNode
    lines: EditorLines
    names: Sequence[Occurrence]
    shape: ValueShape

    @property
    def source(self) -> Source:
        return self.tree.source

    def offset(self, position: types.Position) -> int:
        """Return the offset of a place, as the tree counts."""
        starts = self.source.line_starts
        if position.line >= len(starts):
            return len(self.source.text)
        return starts[position.line] + self.lines.column(position)

    def range(self, start: int, end: int) -> types.Range:
        return self.lines.range(self.source.span(start, end))

    def path_at(self, offset: int) -> tuple[PlanPath, bool]:
        """Return the path of the innermost value at a place, and whether its key is there."""
        node: YamlNode = self.tree
        path: PlanPath = ()
        while True:
            for key, (begin, end), child in entries(node):
                if isinstance(key, str) and begin <= offset <= end:
                    return (*path, key), True
                if child.start <= offset <= child.end and child.end > child.start:
                    node, path = child, (*path, key)
                    break
            else:
                return path, False

    def node(self, path: PlanPath) -> YamlNode | None:
        return node_at(self.tree, path)


def read_plan(path: Path, text: str, lines: EditorLines) -> PlanReading | None:
    """Read a text; None when nothing of it can be read."""
    tree = read_tree(text)
    if tree is None:
        return None
    shape = shape_of_defaults() if is_defaults(path) else shape_of_plan()
    return PlanReading(text, tree, lines, names_of_file(tree, shape), shape)
