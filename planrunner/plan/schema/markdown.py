"""Tables in Markdown, for the reference pages that are made from the code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["code", "table"]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; no cell breaks it, whatever it holds."""
    lines = [_row(header), "|" + "---|" * len(header), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Return the text as code; nothing for nothing. Line breaks are shown escaped."""
    shown = text.replace("\n", "\\n")
    if not shown:
        return ""
    # What holds a backtick, or begins or ends with a space, needs more than a pair of backticks.
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
