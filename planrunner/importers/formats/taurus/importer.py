"""The record of the format, and how it is recognized."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_EXECUTION: Final = re.compile(rb"""(?m)^[ \t{,]*["']?execution["']?[ \t]*:""")
_SCENARIOS: Final = re.compile(rb"""(?m)^[ \t{,]*["']?scenarios["']?[ \t]*:""")
_WORDS: Final = re.compile(
    rb"\b(?:hold-for|ramp-up|concurrency|default-address|think-time|requests|script|executor)\b"
)
_BESIDE: Final = frozenset({".csv", ".jmx", ".py", ".txt", ".js"})


def _claim(file: SourceFile) -> Claim:
    if file.suffix in _BESIDE:
        return Claim.COMPANION
    if file.suffix not in (".yml", ".yaml", ".json", ""):
        return Claim.NO
    head = file.head
    if not _EXECUTION.search(head) or not _WORDS.search(head):
        return Claim.NO
    return Claim.SURE if _SCENARIOS.search(head) else Claim.LIKELY


IMPORTER: Final = Importer(
    name="taurus",
    title="a Taurus test",
    claim=_claim,
    reader="planrunner.importers.formats.taurus.reader:read",
)
