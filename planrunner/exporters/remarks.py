"""Findings of the ledger as comments of a script."""

from __future__ import annotations

from planrunner.loss.ledger import Construct, Fate

__all__ = ["remark"]


def remark(one: Construct) -> str:
    """Return a finding as the text of a comment, on one line."""
    assert one.fate is not None, "it is judged before it is shown"
    word = "export" if one.fate is Fate.SUSPICIOUS else "TODO export"
    where = f"{one.place.file}:{one.place.line}"
    text = f"{word}: {where}: {one.words} ({one.fate.words}): {one.why}"
    return "".join(char if char.isprintable() else " " for char in text).rstrip()
