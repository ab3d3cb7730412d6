"""A statement as a plan writes it: its text, and where values are bound into it.

`:name` is a value. Nothing else ever is: text in quotes and comments stays as it is, so that a time
such as `'12:30'` has no name in it, and `::` is PostgreSQL's cast.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.values import dataclass

__all__ = ["Placeholder", "Statement", "first_line", "read_statement"]

_PIECES: Final = re.compile(
    r"""
      [eE]'(?:[^'\\]|\\.|'')*'              # PostgreSQL's text with escapes
    | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`
    | --[^\n]* | /\*.*?\*/
    | \$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$
    | ::
    | (?<![\w:]):(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
_MARKS: Final[Mapping[str, str]] = {
    "qmark": "?",
    "format": "%s",
    "numeric": ":{number}",
    "numeric_dollar": "${number}",
    "named": ":{name}",
    "pyformat": "%({name})s",
}
"""How a style of PEP 249 marks a value."""

_READS: Final = re.compile(r"(?:select|values|table|with)\b", re.IGNORECASE)
_WRITES: Final = re.compile(r"\b(?:insert|update|delete|merge)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Where a value is bound.

    Attributes:
        offset: Of its colon in the text.
    """

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement.

    Attributes:
        text: As the plan has it.
        pieces: The same, cut at its placeholders.
        only_reads: It begins with a word that reads, and none in it writes.
    """

    text: str
    pieces: tuple[str | Placeholder, ...]
    only_reads: bool

    @property
    def placeholders(self) -> Iterator[Placeholder]:
        return (piece for piece in self.pieces if isinstance(piece, Placeholder))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its values, each once, in the order of the text."""
        return tuple(dict.fromkeys(piece.name for piece in self.placeholders))

    def written_for(self, paramstyle: str) -> tuple[str, tuple[str, ...] | None]:
        """Return the text with placeholders in a style of PEP 249, and what they stand for.

        The second is None where values go by name, else a name for each value in turn.
        """
        names, is_percent = self.names, paramstyle in ("format", "pyformat")
        mark = _MARKS[paramstyle]
        text = "".join(
            mark.format(name=piece.name, number=names.index(piece.name) + 1)
            if isinstance(piece, Placeholder)
            else (piece.replace("%", "%%") if is_percent else piece)
            for piece in self.pieces
        )
        if paramstyle in ("named", "pyformat"):
            return text, None
        return text, names if paramstyle.startswith("numeric") else tuple(
            piece.name for piece in self.placeholders
        )


def read_statement(text: str) -> Statement:
    """Find the values of a statement."""
    pieces: list[str | Placeholder] = []
    outside: list[str] = []
    done = seen = 0
    for found in _PIECES.finditer(text):
        outside.append(text[seen : found.start()])
        seen = found.end()
        if found["name"]:
            pieces += (text[done : found.start()], Placeholder(found["name"], found.start()))
            done = seen
    outside.append(text[seen:])
    pieces.append(text[done:])
    return Statement(text, tuple(filter(None, pieces)), _only_reads(outside))


def _only_reads(outside: Sequence[str]) -> bool:
    """Say whether a statement changes nothing, by what stands outside of quotes and comments."""
    words = " ".join(outside).lstrip(" \t\r\n(")
    return _READS.match(words) is not None and _WRITES.search(words) is None


def first_line(text: str) -> str:
    """Return the first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
