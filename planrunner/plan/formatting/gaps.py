"""What stands between two values of a plan: comments, blank lines, the dashes of lists."""

from __future__ import annotations

import re
from typing import Final

from planrunner.plan.formatting.written import Gap, Remark

__all__ = ["GapReader"]

# Only outside of values. NEL, LS and PS end a line for the parser.
_MARKS: Final = re.compile(r"[#%][^\n\x85\u2028\u2029]*|[-\n\x85\u2028\u2029]")
_NOTHING: Final = frozenset(("", " ", ", ", ": "))


class GapReader:
    """Collects what stands between values, in the order of the text.

    Attributes:
        at: What stands before is read.
        scalars: How many values were passed; whoever reads them counts.
        found: Every comment that was read, with the number of values before it.
    """

    def __init__(self, text: str) -> None:
        self.scalars = 0
        self.found: list[tuple[int, str]] = []
        self._text = text
        self.at = 0
        self._line_ends = 1  # since the last thing that isn't blank; a file starts on a line
        self._pending: list[Remark | _Dash] = []

    def read_to(self, offset: int) -> None:
        """Read what stands before `offset`."""
        if self._text[self.at : offset] in _NOTHING:
            self.at = max(offset, self.at)
            return
        for mark in _MARKS.finditer(self._text, self.at, offset):
            match mark[0][0]:
                case "#" | "%":
                    self._pending.append(self.remark(mark[0], mark.start()))
                    self._line_ends = 0
                case "-":
                    dash = _Dash(self.column(mark.start()), is_apart=self._line_ends > 1)
                    self._pending.append(dash)
                    self._line_ends = 0
                case _:
                    self._line_ends += 1
        self.at = offset

    def skip_to(self, offset: int, *, line_ends: int = 0) -> None:
        """Pass over a value that ends at `offset`, with so many ends of lines as its last."""
        self.at, self._line_ends = offset, line_ends

    def take(self) -> Gap:
        """Return what was read and not taken."""
        if not self._pending:
            return Gap([], self._line_ends > 1)
        remarks = [mark for mark in self._pending if isinstance(mark, Remark)]
        self._pending.clear()
        return Gap(remarks, self._line_ends > 1)

    def take_dash(self) -> tuple[Gap, int]:
        """Return what was read before the next dash, and the column of the dash."""
        remarks: list[Remark] = []
        while isinstance(mark := self._pending.pop(0), Remark):
            remarks.append(mark)
        return Gap(remarks, mark.is_apart), mark.column

    def remark(self, text: str, offset: int) -> Remark:
        """Return the comment that starts at `offset`, and count it."""
        text = text.rstrip()
        self.found.append((self.scalars, text))
        return Remark(text, self.column(offset), self._line_ends == 0, self._line_ends > 1)

    def column(self, offset: int) -> int:
        """Return how far into its line `offset` is."""
        return offset - self._text.rfind("\n", 0, offset) - 1


class _Dash:
    def __init__(self, column: int, *, is_apart: bool) -> None:
        self.column = column
        self.is_apart = is_apart
