"""A walk over a tree with the schema beside it, which skips what the schema doesn't know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from planrunner.lsp.grammar.shapes import ValueShape
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.plan.yaml.places import entries

__all__ = ["TreeVisit", "node_at", "visits"]


class TreeVisit(NamedTuple):
    """One value of a tree.

    Attributes:
        key: Where the key stands that it belongs to; nothing for an item of a list.
    """

    path: PlanPath
    key: tuple[int, int] | None
    node: YamlNode
    shape: ValueShape


def visits(root: YamlNode, shape: ValueShape) -> Iterator[TreeVisit]:
    """Yield each value below the root once, in the order of the text; aliases are not followed."""
    seen = set[int]()

    def below(node: YamlNode, shape: ValueShape, path: PlanPath) -> Iterator[TreeVisit]:
        for name, key, child in entries(node):
            is_key = isinstance(name, str)
            inner = shape.child(name) if isinstance(name, str) else shape.item()
            if id(child) in seen:
                continue
            seen.add(id(child))
            yield TreeVisit((*path, name), key if is_key else None, child, inner)
            if child.items is not None:
                yield from below(child, inner, (*path, name))

    return below(root, shape, ())


def node_at(root: YamlNode, path: PlanPath) -> YamlNode | None:
    """Return what stands at a path."""
    node = root
    for part in path:
        if isinstance(node.items, dict) and part in node.items:
            node = node.items[str(part)][2]
        elif isinstance(node.items, list) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            return None
    return node
