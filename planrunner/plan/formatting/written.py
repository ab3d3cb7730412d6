"""A plan as it is written: its values and also what stands between them."""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from planrunner.values import dataclass

__all__ = [
    "Gap",
    "Remark",
    "WrittenBranch",
    "WrittenEntry",
    "WrittenLeaf",
    "WrittenNode",
    "WrittenPlan",
]


@dataclass(slots=True)
class Remark:
    """A comment.

    Attributes:
        column: Where it starts in its line, from 0.
        is_beside: It shares its line with what stands before it.
        is_apart: A blank line stands before it.
    """

    text: str
    column: int
    is_beside: bool
    is_apart: bool


@dataclass(slots=True)
class Gap:
    """What stands between two values: comments, and whether a blank line follows them."""

    remarks: list[Remark] = field(default_factory=list)
    is_apart: bool = False

    def extend(self, other: Gap) -> None:
        """Go on with what stands right behind."""
        self.remarks += other.remarks
        self.is_apart = self.is_apart or other.is_apart


@dataclass(slots=True)
class WrittenLeaf:
    """A scalar or an alias.

    Attributes:
        gap: What stands before it.
        properties: Its anchor and tag.
        style: `'`, `"`, `|`, `>`, `*` for an alias; empty for a plain scalar.
        raw: As it is written; of a block scalar its lines, without their margin.
        header: Of a block scalar: its first line, such as `|-`.
        header_remark: Of a block scalar: the comment beside the header.
    """

    gap: Gap
    properties: str
    style: str
    raw: str
    value: str = ""
    header: str = ""
    header_remark: Remark | None = None

    @property
    def is_block(self) -> bool:
        return self.style in ("|", ">")

    @property
    def is_absent(self) -> bool:
        return not self.raw and not self.style and not self.properties


@dataclass(slots=True)
class WrittenBranch:
    """A mapping or a list.

    Attributes:
        gap: What stands before it, if anything can: its anchor, its tag or its bracket.
        column: Where its entries start; None inside brackets.
        end: What stands before the closing bracket.
        is_pair: It is an item of `[ ]` that is a mapping without brackets, such as `use: quick`.
    """

    gap: Gap
    properties: str
    is_list: bool
    column: int | None
    entries: list[WrittenEntry] = field(default_factory=list)
    end: Gap = field(default_factory=Gap)
    is_pair: bool = False

    @property
    def is_flow(self) -> bool:
        return self.column is None


WrittenNode: TypeAlias = WrittenLeaf | WrittenBranch


@dataclass(slots=True)
class WrittenEntry:
    """A key and its value, or an item; `gap` is what stands before the key or the dash."""

    gap: Gap
    key: WrittenLeaf | None
    value: WrittenNode


@dataclass(slots=True)
class WrittenPlan:
    """A file.

    Attributes:
        start: What stands before its `---`; None without one.
        stop: What stands before its `...`; None without one.
        end: What stands after everything else.
        events: What the text means: equal for two texts that mean the same.
        places: Where each of the events stands.
        remarks: The comments, each with the number of scalars before it.
    """

    root: WrittenNode
    start: Gap | None
    stop: Gap | None
    end: Gap
    events: list[tuple[object, ...]]
    places: list[int]
    remarks: list[tuple[int, str]]
