"""A name that a file gives which is no plan."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["OutsideName"]


class OutsideName(NamedTuple):
    """A name, as plans write it, and where it is given.

    Attributes:
        line: From 0.
        start, end: Where its last word stands in the line, in characters.
        form: Its signature.
        about: What its author says of it.
    """

    name: str
    file: Path
    line: int
    start: int
    end: int
    form: str
    about: str = ""
