"""A text as it is when an editor has done what a quick fix says."""

from __future__ import annotations

from planrunner.lsp.findings.faulty_text import Mending


def mended_by(text: str, mending: Mending) -> str:
    """Return the text with the pieces of a mending in place of what they replace."""
    for one in sorted(mending.pieces, key=lambda piece: piece.start, reverse=True):
        text = text[: one.start] + one.new + text[one.end :]
    return text
