"""Text from plans and servers as Markdown: names that format nothing, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from planrunner.report.plain import plain

__all__ = ["markdown_table", "markdown_text"]

_LONGEST: Final = 160
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+!|~<>&$@])")


def markdown_text(text: str) -> str:
    """Return foreign text on one line that Markdown shows as it is, cut when it is very long."""
    shown = plain(text)
    if len(shown) > _LONGEST:
        shown = f"{shown[: _LONGEST - 1]}…"
    # A zero-width space keeps @names and #1 from notifying people, and `:smile:` a word.
    return _SPECIAL.sub(r"\\\1", shown).replace("\\@", "@\u200b").replace("\\#", "#\u200b")


def markdown_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int | None = None
) -> Iterator[str]:
    """Yield the lines of a table whose columns are numbers from `numbers` on."""
    rules = ["---"] * len(titles)
    if numbers is not None:
        rules[numbers:] = ["--:"] * (len(titles) - numbers)
    for cells in (titles, rules, *rows):
        yield "| " + " | ".join(cells) + " |\n"
