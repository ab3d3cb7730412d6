"""What later items of a Drill plan read of a reply that an item assigns to a name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Final

from planrunner.importers.nodes import SourceNode
from planrunner.values import dataclass

__all__ = ["AssignedReply", "paths_read", "templates_of"]

_TEMPLATE: Final = re.compile(r"\{\{ *([a-zA-Z][\w\-.$\[\]]*) *\}\}")


@dataclass(slots=True)
class AssignedReply:
    """A name that a request assigns.

    Attributes:
        step: Of that request; `assert` becomes an expectation of it.
        names: What is read of it → the name of the plan for that.
    """

    step: dict[str, object]
    names: dict[str, str] = field(default_factory=dict)


def paths_read(name: str, items: list[SourceNode]) -> list[str]:
    """Return what items read of an assigned reply, up to where it is assigned anew.

    `foo.body.id` is given as `body.id`; what is only asserted isn't read.
    """
    found: dict[str, None] = {}
    for item in items:
        for path in templates_of(item):
            if path == name or path.startswith((f"{name}.", f"{name}[")):
                found[path[len(name) :].lstrip(".")] = None
        assigned = item.get("assign")
        if assigned is not None and assigned.text() == name:
            break
    return list(found)


def templates_of(node: SourceNode) -> Iterator[str]:
    """Yield what the templates below a node read."""
    for one in node.below():
        for scalar in one.node.each():
            if isinstance(scalar.scalar, str):
                yield from _TEMPLATE.findall(scalar.scalar)
