"""A file of mappings and lists as nodes with places, each key a construct of the ledger.

A translator takes keys (`take`), and what it takes is translated unless it is judged otherwise;
what nobody takes stays unjudged, and so counts as left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import field

from planrunner.loss.ledger import Construct, SourcePlace
from planrunner.values import dataclass

__all__ = ["SourceEntry", "SourceNode"]


@dataclass(slots=True, eq=False)
class SourceEntry:
    """A key of a mapping with its value."""

    key: str
    construct: Construct
    node: SourceNode


@dataclass(slots=True, eq=False)
class SourceNode:
    """A value of a file: a scalar, a mapping or a list.

    Attributes:
        scalar: The value of a scalar: str, int, float, bool or None.
        entries: Of a mapping, in order; a key that stands twice is there twice.
        items: Of a list.
    """

    place: SourcePlace
    scalar: object = None
    entries: list[SourceEntry] | None = None
    items: list[SourceNode] | None = None
    _by_key: dict[str, SourceEntry] = field(default_factory=dict)

    @property
    def is_mapping(self) -> bool:
        """Whether it has keys."""
        return self.entries is not None

    @property
    def is_list(self) -> bool:
        """Whether it has items."""
        return self.items is not None

    def entry(self, key: str) -> SourceEntry | None:
        """Return the entry of a key without judging it; the last one where it stands twice."""
        if self.entries and not self._by_key:
            self._by_key = {one.key: one for one in self.entries}
        return self._by_key.get(key)

    def get(self, key: str) -> SourceNode | None:
        """Return the value of a key without judging it."""
        found = self.entry(key)
        return found.node if found is not None else None

    def take(self, key: str) -> SourceNode | None:
        """Return the value of a key, which is translated; below it nothing is judged."""
        found = self.entry(key)
        if found is None:
            return None
        found.construct.translated()
        return found.node

    def take_whole(self, key: str) -> object:
        """Return the plain value of a key; it and everything below it are translated."""
        found = self.take(key)
        return found.whole() if found is not None else None

    def whole(self) -> object:
        """Return the plain value; every key below is translated."""
        for one in self.below():
            one.construct.translated()
        return self.plain()

    def plain(self) -> object:
        """Return it as dict, list and scalars; judges nothing."""
        if self.entries is not None:
            return {one.key: one.node.plain() for one in self.entries}
        if self.items is not None:
            return [one.plain() for one in self.items]
        return self.scalar

    def text(self) -> str:
        """Return a scalar as it would be written; empty for nothing, mappings and lists."""
        if self.scalar is None:
            return ""
        return self.scalar if isinstance(self.scalar, str) else json.dumps(self.scalar)

    def each(self) -> list[SourceNode]:
        """Return the items of a list; any other value as the only item."""
        return self.items if self.items is not None else [self]

    def below(self) -> Iterator[SourceEntry]:
        """Yield every entry below, depth first, in the order of the file."""
        pending: list[SourceNode | SourceEntry] = [self]
        while pending:
            one = pending.pop()
            if isinstance(one, SourceEntry):
                yield one
                pending.append(one.node)
            else:
                pending += reversed(one.entries or one.items or [])

    def unjudged(self) -> Iterator[SourceEntry]:
        """Yield the entries below that nobody has judged."""
        return (one for one in self.below() if one.construct.fate is None)
