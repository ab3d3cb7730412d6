"""The record of the format, and how it is recognized."""

from __future__ import annotations

from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.formats.access_log.lines import read_line
from planrunner.importers.sources import SourceFile, decode

__all__ = ["IMPORTER"]

_LOOKED_AT: Final = 20


def _claim(file: SourceFile) -> Claim:
    """Say how sure it is: most of the first lines are entries of a log."""
    lines = [line for line in decode(file.head).split("\n")[:_LOOKED_AT] if line.strip()]
    entries = sum(read_line(line) is not None for line in lines)
    if not entries or entries * 2 < len(lines):
        return Claim.NO
    return Claim.SURE


IMPORTER: Final = Importer(
    "access-log",
    "an access log",
    _claim,
    "planrunner.importers.formats.access_log.read:read",
)
