"""The record of the format, and how it is recognized."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_PLAN: Final = re.compile(rb"(?m)^plan[ \t]*:")
_SETTINGS: Final = re.compile(rb"(?m)^(?:base|iterations|concurrency|rampup|threads)[ \t]*:")
_ITEMS: Final = re.compile(rb"(?m)(?:^|[-{,])\s*(?:request|include|assign|with_items\w*)[ \t]*:")
_LIST: Final = re.compile(rb"\A(?:\s*#.*\n|\s*---[ \t]*\n|\s*\n)*\s*-\s")


def _claim(file: SourceFile) -> Claim:
    if file.suffix in (".csv", ".txt"):
        return Claim.COMPANION
    if file.suffix not in (".yml", ".yaml", ""):
        return Claim.NO
    head = file.head
    if _ITEMS.search(head) is None:
        return Claim.NO
    if _PLAN.search(head):
        return Claim.SURE if _SETTINGS.search(head) else Claim.LIKELY
    return Claim.COMPANION if _LIST.match(head) else Claim.NO


IMPORTER: Final = Importer(
    name="drill",
    title="a Drill test",
    claim=_claim,
    reader="planrunner.importers.formats.drill.reader:read",
)
