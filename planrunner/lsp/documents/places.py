"""Lines and columns as an editor counts them: from 0, in the units that it asked for."""

from __future__ import annotations

import re
from typing import Final

from lsprotocol import types
from pygls.workspace import PositionCodec, ServerTextPosition

from planrunner.language.diagnostics import Span

__all__ = ["EditorLines"]

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


class EditorLines:
    """The lines of one text.

    Args:
        text: As the editor has it.
        codec: The units of columns that the editor counts in.
    """

    def __init__(self, text: str, codec: PositionCodec) -> None:
        self.lines = _LINE_END.split(text.removeprefix("\ufeff"))
        self._codec = codec

    def position(self, line: int, column: int) -> types.Position:
        """Return a place whose line and column count characters from 1."""
        if not 1 <= line <= len(self.lines):
            return types.Position(max(0, min(line - 1, len(self.lines))), 0)
        before = self.lines[line - 1][: max(column - 1, 0)]
        return types.Position(line - 1, self.units(before))

    def range(self, span: Span) -> types.Range:
        """Return the range of a span."""
        return types.Range(
            self.position(span.line, span.column), self.position(span.end_line, span.end_column)
        )

    def column(self, position: types.Position) -> int:
        """Return how many characters stand before a position, in its line."""
        if position.line >= len(self.lines):
            return 0
        lines = [self.lines[position.line]]
        at = types.Position(0, position.character)
        found: ServerTextPosition = self._codec.position_from_client_units(lines, at)
        return int(found.character)

    def units(self, text: str) -> int:
        """Return how many columns a text of one line takes."""
        return len(text) if text.isascii() else int(self._codec.client_num_units(text))

    def end(self) -> types.Position:
        """Return the place behind the last character."""
        return self.position(len(self.lines), len(self.lines[-1]) + 1)
