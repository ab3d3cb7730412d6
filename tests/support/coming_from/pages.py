"""Pages that map another tool's constructs: their rows, and their pairs of blocks.

What a row is put into is said by the head of its second column; a block of YAML below one of
another language is a mapping too, called by the heading above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from tests.support.doc_pages import ROOT, Block, blocks_of

__all__ = ["Mapped", "mappings_of"]


class Mapped(NamedTuple):
    """A mapping of a page: a construct of the other tool, and what planrunner has for it.

    Attributes:
        place: The head of the column, which says where in a plan the text belongs.
    """

    theirs: str
    place: str
    text: str


_TABLE: Final = re.compile(
    r"^\| \w+ \| (?P<place>[^|]+?) \|[^\n]*\n\|[-| ]+\|\n(?P<rows>(?:\|.*\n)+)", re.MULTILINE
)
_HEADING: Final = re.compile(r"^#+ (.*)$", re.MULTILINE)
_OWN: Final = ("yaml", "text", "bash", "console")


def mappings_of(name: str) -> dict[str, Mapped]:
    """Return all mappings of a page by the construct that they are of, in its order."""
    page = ROOT / "docs" / "how-to" / name
    text = page.read_text("utf-8")
    found = [*_rows_of(text), *_pairs_of(text, tuple(blocks_of(page)))]
    names = [mapped.theirs for mapped in found]
    assert len(set(names)) == len(names), sorted({one for one in names if names.count(one) > 1})
    return {mapped.theirs: mapped for mapped in found}


def _rows_of(text: str) -> Iterator[Mapped]:
    for table in _TABLE.finditer(text):
        for row in table["rows"].strip().splitlines():
            cells = re.split(r"(?<!\\)\|", row.strip("|"))
            theirs, ours = (cell.strip().replace(r"\|", "|") for cell in cells[:2])
            span = re.fullmatch(r"`([^`]+)`", ours)
            assert span, f"no single piece of a plan: {row}"
            yield Mapped(theirs, table["place"], span[1])


def _pairs_of(text: str, blocks: tuple[Block, ...]) -> Iterator[Mapped]:
    lines = text.splitlines()
    for theirs, ours in pairwise(blocks):
        if ours.language == "yaml" and theirs.language not in _OWN:
            above = "\n".join(lines[: theirs.line - 1])
            yield Mapped(_HEADING.findall(above)[-1], "a plan", ours.text)
