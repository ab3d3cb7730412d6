"""Findings of the ledger as comments of a script."""

from __future__ import annotations

from planrunner.loss.ledger import Construct, Fate

__all__ = ["on_one_line", "remark"]


def remark(one: Construct) -> str:
    """Return a finding as the text of a comment, on one line."""
    assert one.fate is not None, "it is judged before it is shown"
    word = "export" if one.fate is Fate.SUSPICIOUS else "TODO export"
    where = f"{one.place.file}:{one.place.line}"
    return on_one_line(f"{word}: {where}: {one.words} ({one.fate.words}): {one.why}")


def on_one_line(text: str) -> str:
    """Return a text as a comment can have it: nothing in it ends the line."""
    return "".join(char if char.isprintable() else " " for char in text).rstrip()
