"""The node of a data source: where its rows come from, and how users share them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum

from planrunner.data.layout import PLAIN, Layout
from planrunner.language.expressions.values import Scope
from planrunner.values import dataclass

__all__ = ["DataNode", "FileNode", "OnEnd", "Order"]


class Order(StrEnum):
    SEQUENTIAL = "sequential"
    RANDOM = "random"
    SHUFFLE = "shuffle"


class OnEnd(StrEnum):
    """What happens when no row is left."""

    CYCLE = "cycle"
    STOP_USER = "stop_user"
    STOP_PLAN = "stop_plan"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class DataNode:
    """One data source.

    Attributes:
        kind: The key of the rows in the plan: that of a file format, `list` or `generate`.
        file: The data file as the plan names it; empty when the rows are in the plan.
        path: Where that file is.
        workers: Whose rows are in it, in the order in which their users draw them; empty when it
            is the whole file.
        layout: How it is laid out.
        columns: Empty when the rows are plain values.
        secret: Columns whose values are masked.
        is_secret: Whether plain values are.
        rows: The rows themselves, for a list.
        fields: What gives the columns of a made-up row.
        count: How many rows there are; of a large file, how many were checked.
        is_counted: False when there are more than `count`.
        per_user: True when a user keeps one row for its life, else one for each iteration.
        variant: 0 with the plan's own params, another number with those of some phases.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    count: int
    file: str = ""
    path: str = ""
    workers: tuple[int, ...] = ()
    layout: Layout = PLAIN
    secret: tuple[str, ...] = ()
    is_secret: bool = False
    rows: tuple[object, ...] = ()
    fields: Mapping[str, Callable[[Scope], object]] = field(default_factory=dict)
    is_counted: bool = True
    per_user: bool = False
    order: Order = Order.SEQUENTIAL
    unique: bool = False
    on_end: OnEnd = OnEnd.CYCLE
    variant: int = 0

    @property
    def key(self) -> str:
        """What no other source of the run is called; users know it as `name`."""
        return f"{self.name}#{self.variant + 1}" if self.variant else self.name

    @property
    def is_held(self) -> bool:
        """True when a user holds a row that no other live user has."""
        return self.per_user and self.unique


@dataclass(frozen=True, slots=True)
class FileNode:
    """One file of test data.

    Attributes:
        name: As steps read it.
        file: What it is called in the run's directory; no two that differ are called the same.
        source: The rows.
        rows: How many of them are written.
        format: A key of `data.writing.formats`.
        has_secrets: Whether values are in it that are masked elsewhere.
    """

    name: str
    file: str
    source: DataNode
    rows: int
    format: str
    has_secrets: bool = False
