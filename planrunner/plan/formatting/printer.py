"""A plan as it is written → the same in the one style."""

from __future__ import annotations

from typing import Final

from planrunner.plan.formatting.one_line import flow_text, key_text
from planrunner.plan.formatting.scalars import scalar_lines
from planrunner.plan.formatting.written import (
    Gap,
    Remark,
    WrittenBranch,
    WrittenEntry,
    WrittenLeaf,
    WrittenNode,
    WrittenPlan,
)

__all__ = ["WIDTH", "print_written"]

WIDTH: Final = 100
"""Characters of a line; what is longer in `{ }` and `[ ]` gets lines of its own."""

_STEP: Final = 2
_WITH_ROOM: Final = frozenset({"users"})
"""Keys of the first level whose own entries get blank lines between them too."""


def print_written(plan: WrittenPlan) -> str:
    r"""Return the text of `plan`; its lines end in `\n`."""
    printer = _PlanPrinter()
    if plan.start is not None:
        printer.mark("---", plan.start)
    printer.node(plan.root, -_STEP)
    if plan.stop is not None:
        printer.mark("...", plan.stop)
    printer.gap(plan.end, 0)
    return printer.text()


class _PlanPrinter:
    """Writes lines from top to bottom; the last one is open as long as it may grow."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._open: str | None = None
        self._swallows = False  # a block scalar has just ended that owns the blank lines after it
        # Where the entries begin that are being written: as they were, and as they are now.
        self._levels: list[tuple[int, int]] = []
        self._last_levels: tuple[tuple[int, int], ...] = ()  # when something was last written
        self._beside: tuple[int, int] | None = None  # the comment of the last line, likewise

    def text(self) -> str:
        self._close()
        return "".join(f"{line}\n" for line in self._lines)

    def mark(self, text: str, gap: Gap) -> None:
        """Write `---` or `...`."""
        self.gap(gap, 0)
        self._begin(0)
        self._put(text)

    # -- lines

    def _begin(self, indent: int, *, is_apart: bool = False) -> None:
        self._close()
        if is_apart:
            self._blank()
        self._open, self._beside, self._swallows = " " * indent, None, False

    def _put(self, text: str) -> None:
        assert self._open is not None
        self._open += f" {text}" if self._open.strip() else text
        self._last_levels = tuple(self._levels)

    def _close(self) -> None:
        if self._open is not None:
            self._lines.append(self._open)
            self._open = None

    def _blank(self) -> None:
        if self._lines and self._lines[-1] and not self._swallows:
            self._lines.append("")

    # -- comments

    def gap(self, gap: Gap, indent: int) -> int | None:
        """Write what stands before something that begins at `indent`.

        Returns:
            The line before which a blank one could be; None if there is one.
        """
        is_apart, place = gap.is_apart or self._swallows, None
        for remark in gap.remarks:
            is_apart = is_apart or remark.is_apart
            if remark.is_beside and self._open and self._open.strip():
                self._write_beside(remark)
            elif self._write_alone(remark, indent) == indent and place is None:
                place = len(self._lines) - 1
        if place is None:
            place = len(self._lines) + (self._open is not None)
        return None if is_apart else place

    def _write_beside(self, remark: Remark) -> None:
        assert self._open is not None
        column = len(self._open) + 2
        if column < remark.column < WIDTH:
            column = remark.column
        self._lines.append(self._open.ljust(column) + remark.text)
        self._open, self._beside = None, (remark.column, column)

    def _write_alone(self, remark: Remark, indent: int) -> int:
        """Write a comment on a line of its own; return its column."""
        self._close()
        if remark.is_apart:
            self._blank()
        elif self._beside and self._beside[0] == remark.column:  # the comment above goes on
            self._lines.append(" " * self._beside[1] + remark.text)
            return self._beside[1]
        levels = [new for old, new in self._last_levels if old <= remark.column]
        column = max([indent, *levels])
        self._lines.append(" " * column + remark.text)
        self._beside, self._swallows = None, False
        return column

    # -- values

    def node(self, node: WrittenNode, parent: int, *, has_room: bool = False) -> None:
        """Write a value that is part of what begins at `parent`."""
        indent = parent + _STEP
        self.gap(node.gap, indent)
        if isinstance(node, WrittenLeaf):
            if not node.is_absent:
                self._leaf(node, indent)
        elif not self._flow(node, indent):
            self._block(node, indent, has_room=has_room)

    def _leaf(self, leaf: WrittenLeaf, indent: int) -> None:
        if self._open is None:
            self._begin(indent, is_apart=leaf.gap.is_apart)
        if leaf.properties:
            self._put(leaf.properties)
        if leaf.is_block:
            self._put(leaf.header)
            if leaf.header_remark:
                self._write_beside(leaf.header_remark)
            self._close()
            lines = leaf.raw.split("\n") if leaf.raw else []
            self._lines += [" " * indent + line if line else "" for line in lines]
            self._swallows = "+" in leaf.header
            return
        first, *rest = scalar_lines(leaf, in_flow=False)
        if first:
            self._put(first)
        for line in rest:
            self._close()
            self._open = " " * indent + line if line else ""

    def _flow(self, branch: WrittenBranch, indent: int) -> bool:
        """Write `branch` in brackets, if it was and fits; return whether it did."""
        text = flow_text(branch) if branch.is_flow else None
        if text is None:
            return False
        is_inside = self._open is not None and self._open.strip()
        begin = len(self._open or "") + 1 if is_inside else indent
        if begin + len(text) > WIDTH and branch.entries:
            return False
        if self._open is None:
            self._begin(indent, is_apart=branch.gap.is_apart)
        self._put(text)
        return True

    def _block(self, branch: WrittenBranch, indent: int, *, has_room: bool) -> None:
        is_after_dash = self._open != "---" and (self._open or "").endswith("-")
        if branch.properties:
            if self._open is None:
                self._begin(indent)
            self._put(branch.properties)
        is_compact = is_after_dash and not branch.properties
        if branch.column is not None:
            # A list may stand right below its key; what else stands there belongs to the key.
            is_beside_key = bool(self._levels) and self._levels[-1][0] == branch.column
            self._levels.append((branch.column + is_beside_key, indent))
        write = self._item if branch.is_list else self._pair
        was_tall = False
        for index, entry in enumerate(branch.entries):
            place = self.gap(entry.gap, indent)
            if not (is_compact and index == 0 and self._open is not None):
                self._begin(indent, is_apart=entry.gap.is_apart)
            begin = len(self._lines)
            write(entry, indent)
            is_tall = len(self._lines) > begin
            if (has_room or indent == 0) and index and place and (was_tall or is_tall):
                self._lines.insert(place, "")
            was_tall = is_tall
        self.gap(branch.end, indent)
        if branch.column is not None:
            self._levels.pop()

    def _item(self, entry: WrittenEntry, indent: int) -> None:
        self._put("-")
        self.node(entry.value, indent)

    def _pair(self, entry: WrittenEntry, indent: int) -> None:
        assert entry.key is not None
        self._put(key_text(entry.key, in_flow=False))
        has_room = indent == 0 and entry.key.value in _WITH_ROOM
        self.node(entry.value, indent, has_room=has_room)
