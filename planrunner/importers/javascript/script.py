"""A script as a syntax tree with places; a script with syntax errors gives what can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Literal

from planrunner.loss.ledger import SourcePlace

if TYPE_CHECKING:
    from tree_sitter import Language, Node

__all__ = ["CALLS", "Script", "ScriptDialect", "parse", "text_of", "walk", "words_of"]

ScriptDialect = Literal["javascript", "typescript", "tsx"]
Locate = Callable[[int, int], SourcePlace]
"""Returns the place of a line and column of a script, both from 1, in the file that holds it."""

CALLS: Final = frozenset({"call_expression", "new_expression"})
"""The kinds of nodes that call something."""

_LONGEST: Final = 70


class Script:
    """A parsed script.

    Attributes:
        text: As it was given.
        root: The node `program`.
    """

    def __init__(self, text: str, language: Language, locate: Locate) -> None:
        from tree_sitter import Parser  # noqa: PLC0415 - an extra

        source = text.encode(errors="replace")
        self.text, self.root = text, Parser(language).parse(source).root_node
        self._language, self._source, self._locate = language, source, locate
        self._is_ascii = len(source) == len(text)
        self._line, self._byte, self._column = -1, 0, 0

    def place(self, node: Node) -> SourcePlace:
        """Return where a node begins."""
        row, offset = node.start_point
        return self._locate(row + 1, self._character(row, offset, node.start_byte) + 1)

    def calls(self, below: Node | None = None) -> Iterator[Node]:
        """Yield every call, those with `new` too, an outer one before those inside it."""
        from tree_sitter import Query, QueryCursor  # noqa: PLC0415 - an extra

        query = Query(self._language, " ".join(f"({kind}) @call" for kind in sorted(CALLS)))
        found = QueryCursor(query).captures(below or self.root).get("call", [])
        yield from sorted(found, key=lambda call: (call.start_byte, -call.end_byte))

    def faults(self) -> Iterator[Node]:
        """Yield the nodes where the text is no JavaScript."""
        if not self.root.has_error:
            return
        yield from (node for node in walk(self.root) if node.is_error or node.is_missing)

    def _character(self, row: int, offset: int, byte: int) -> int:
        """Return the characters before a byte of its line; those of the last one aren't recounted.

        A bundle is one line of megabytes: counting each node from the start would take for ever.
        """
        if self._is_ascii:
            return offset
        start = byte - offset
        if row != self._line or byte < self._byte:
            self._line, self._byte, self._column = row, start, 0
        self._column += len(self._source[self._byte : byte].decode(errors="replace"))
        self._byte = byte
        return self._column


def parse(text: str, locate: Locate, *, dialect: ScriptDialect = "javascript") -> Script:
    """Read a script; nothing of it is run."""
    return Script(text, _language(dialect), locate)


def _language(dialect: ScriptDialect) -> Language:
    from tree_sitter import Language  # noqa: PLC0415 - an extra

    if dialect == "javascript":
        import tree_sitter_javascript  # noqa: PLC0415 - an extra

        return Language(tree_sitter_javascript.language())
    import tree_sitter_typescript  # noqa: PLC0415 - an extra

    is_plain = dialect == "typescript"
    made = tree_sitter_typescript.language_typescript if is_plain else None
    return Language((made or tree_sitter_typescript.language_tsx)())


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all named ones below it (and missing ones), in the order of the text."""
    cursor = node.walk()
    while True:
        one = cursor.node
        if one is not None and (one.is_named or one.is_missing):
            yield one
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def text_of(node: Node | None) -> str:
    """Return the text of a node; empty for none."""
    return node.text.decode(errors="replace") if node is not None and node.text else ""


def words_of(node: Node) -> str:
    """Return the beginning of a node's text in one short line, for reports."""
    raw = (node.text or b"")[: 4 * _LONGEST].decode(errors="replace")
    words = " ".join(raw.split())
    is_whole = node.end_byte - node.start_byte <= 4 * _LONGEST and len(words) <= _LONGEST
    return words if is_whole else f"{words[: _LONGEST - 1].rstrip()}…"
