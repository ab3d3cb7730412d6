"""The keys of a checked plan as nodes with places, each a construct of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field

from planrunner.loss.ledger import Construct, Ledger, SourcePlace
from planrunner.loss.source_nodes import SourceEntry, SourceNode
from planrunner.plan.yaml.document import Document
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.values import dataclass

__all__ = ["PlanTree", "plan_tree"]


@dataclass(slots=True)
class PlanTree:
    """The keys of a plan.

    Attributes:
        root: The plan's own mapping.
        items: The constructs of list items that are texts and say something by themselves, such
            as thresholds, by the `id` of their node.
    """

    root: SourceNode
    items: dict[int, Construct] = field(default_factory=dict)

    def at(self, *path: str | int) -> SourceNode | None:
        """Return what stands at a path; None where nothing does. Judges nothing."""
        return self._walk(path, SourceNode.get)

    def thresholds(self) -> Iterator[tuple[str, list[Construct]]]:
        """Yield the place of each threshold, of the plan and of phases, with what says it.

        What holds them is translated.
        """
        for one in self.root.below():
            if one.key == "thresholds" and one.node.items is not None:
                one.construct.translated()
                for item in one.node.items:
                    yield from self._thresholds_of(item)

    def _thresholds_of(self, item: SourceNode) -> Iterator[tuple[str, list[Construct]]]:
        if item.entries is None:
            yield str(item.place), [self.items[id(item)]]
        elif item.get("metric") is not None:
            yield str(item.place), [one.construct for one in item.below()]
        else:
            for one in item.entries:
                below = [each.construct for each in one.node.below()]
                yield str(one.node.place), [one.construct, *below]

    def take_way(self, *path: str | int) -> SourceNode | None:
        """Return what stands at a path; the keys on the way are translated."""
        return self._walk(path, SourceNode.take)

    def _walk(
        self, path: Sequence[str | int], below: Callable[[SourceNode, str], SourceNode | None]
    ) -> SourceNode | None:
        found: SourceNode | None = self.root
        for part in path:
            if found is None:
                return None
            if isinstance(part, int):
                found = found.items[part] if found.items and part < len(found.items) else None
            else:
                found = below(found, part)
        return found

    def constructs_below(self, node: SourceNode) -> Iterator[Construct]:
        """Yield the constructs below a node, in the order of the file."""
        yield from self._of_items([node, *(node.items or ())])
        for one in node.below():
            yield one.construct
            yield from self._of_items(one.node.items or ())

    def _of_items(self, nodes: Iterable[SourceNode]) -> Iterator[Construct]:
        return (self.items[id(one)] for one in nodes if id(one) in self.items)


def plan_tree(document: Document, ledger: Ledger, unselected: frozenset[int]) -> PlanTree:
    """Return the keys of a plan; those that begin with `x-` say nothing by themselves.

    Args:
        document: The plan.
        ledger: Gets a construct for each key.
        unselected: Numbers of the phases that were not asked for.
    """
    return _Building(ledger).tree(document.root, unselected)


@dataclass(slots=True)
class _Building:
    ledger: Ledger
    made: dict[int, SourceNode] = field(default_factory=dict)
    items: dict[int, Construct] = field(default_factory=dict)

    def tree(self, root: YamlNode, unselected: frozenset[int]) -> PlanTree:
        made = SourceNode(_place(root, root.start), entries=[])
        assert made.entries is not None
        assert isinstance(root.items, dict)
        for key, (start, _end, node) in root.items.items():
            if key.startswith("x-"):
                continue
            construct = self.ledger.add("key", key, _place(node, start))
            if key == "phases" and isinstance(node.items, list):
                value = SourceNode(
                    _place(node, node.start),
                    items=[
                        SourceNode(_place(one, one.start))
                        if number in unselected
                        else self.node(one, f"phases[{number}]")
                        for number, one in enumerate(node.items)
                    ],
                )
            else:
                value = self.node(node, key)
            made.entries.append(SourceEntry(key, construct, value))
        return PlanTree(made, self.items)

    def node(self, raw: YamlNode, path: str) -> SourceNode:
        """Return a node; one that aliases point to is made once, and so counts once."""
        if id(raw) in self.made:
            return self.made[id(raw)]
        made = self.made[id(raw)] = SourceNode(_place(raw, raw.start))
        if isinstance(raw.items, dict):
            made.entries = [
                SourceEntry(
                    key,
                    self.ledger.add("key", f"{path}.{key}", _place(node, start)),
                    self.node(node, f"{path}.{key}"),
                )
                for key, (start, _end, node) in raw.items.items()
            ]
        elif isinstance(raw.items, list):
            made.items = [self._item(one, f"{path}[{at}]") for at, one in enumerate(raw.items)]
        else:
            made.scalar = raw.data
        return made

    def _item(self, raw: YamlNode, path: str) -> SourceNode:
        made = self.node(raw, path)
        if "thresholds[" in path and made.entries is None:
            words = " ".join(str(raw.data).split())
            self.items[id(made)] = self.ledger.add("threshold", words, made.place)
        return made


def _place(node: YamlNode, offset: int) -> SourcePlace:
    span = node.source.span(offset)
    return SourcePlace(span.file, span.line, span.column)
