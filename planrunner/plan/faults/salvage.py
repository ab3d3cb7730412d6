"""What is left of an invalid plan without its faulty pieces.

A typo in one step must not hide an unknown name in another: the sound rest is compiled too, and
its findings are shown with the others. Words of the pieces left out are remembered, since they may
be names that the rest rightly uses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from planrunner.language.fields.mapping import invalid
from planrunner.late_pattern import late_pattern
from planrunner.plan.faults.find import locate_faults
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.yaml.document import Document, PlanPath
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.values import dataclass

if TYPE_CHECKING:
    from pydantic_core import ValidationError

__all__ = ["Remains", "salvage"]

# Leaving out a value may leave its step without an action, that its task without steps, and so on.
_MAX_ROUNDS: Final = 8

_WORD = late_pattern(r"\w+")


@dataclass(frozen=True, slots=True)
class Remains:
    """A sound part of a plan.

    Attributes:
        lost: Every word that stands in what was left out.
    """

    model: PlanModel
    document: Document
    lost: frozenset[str]


def salvage(document: Document, error: ValidationError) -> Remains | None:
    """Return what is left of an invalid plan without its faults; None if that is no plan.

    Args:
        document: The plan.
        error: What is wrong with it.
    """
    lost: set[str] = set()
    found: PlanModel | ValidationError = error
    if not document.has(("name",)):
        document = replace(document, root=_named(document.root))
        found = _read(document)
    for _round in range(_MAX_ROUNDS):
        if isinstance(found, PlanModel):
            return Remains(found, document, frozenset(lost))
        paths = frozenset(locate_faults(found, document))
        if () in paths:
            return None
        for path in paths:
            lost |= _words(document, path)
        document = replace(document, root=_without(document.root, paths))
        found = _read(document)
    return None


def _read(document: Document) -> PlanModel | ValidationError:
    try:
        return PlanModel.model_validate(document.data)
    except invalid() as error:
        return error


def _named(root: YamlNode) -> YamlNode:
    """Give a plan without name one: the commonest fault of all must not hide the others."""
    name = YamlNode(root.source, root.start, root.start, "draft")
    items: Any = root.items
    return replace(
        root,
        data={**root.data, "name": name.data},
        items={**items, "name": (root.start, root.start, name)},
    )


def _without(root: YamlNode, paths: frozenset[PlanPath]) -> YamlNode:
    """Return a tree without what stands at `paths`; every node keeps its place in the file."""
    ancestors = {path[:depth] for path in paths for depth in range(len(path))}

    def copy(node: YamlNode, path: PlanPath) -> YamlNode:
        if path not in ancestors or node.items is None:
            return node
        kept: Any
        if isinstance(node.items, dict):
            kept = {
                key: (start, end, copy(value, (*path, key)))
                for key, (start, end, value) in node.items.items()
                if (*path, key) not in paths
            }
            data: Any = {key: entry[2].data for key, entry in kept.items()}
        else:
            kept = [
                copy(value, (*path, index))
                for index, value in enumerate(node.items)
                if (*path, index) not in paths
            ]
            data = [value.data for value in kept]
        return replace(node, data=data, items=kept)

    return copy(root, ())


def _words(document: Document, path: PlanPath) -> set[str]:
    waiting: list[object] = [path[-1], document.value(path)]
    words: set[str] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        else:
            words |= set(_WORD.findall(str(value)))
    return words
