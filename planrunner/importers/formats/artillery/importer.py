"""The record of the format, and how it is recognized."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_KEY: Final = rb"""(?m)^[ \t{,]*["']?%s["']?[ \t]*:"""
_SCENARIOS, _FLOW, _CONFIG, _PHASES = (
    re.compile(_KEY % word) for word in (rb"scenarios", rb"(?:- *)?flow", rb"config", rb"phases")
)
_ARRIVALS: Final = re.compile(rb"\b(?:arrivalRate|arrivalCount)\b")
_TARGET: Final = re.compile(rb"""["']?target["']?[ \t]*:""")
_BESIDE: Final = frozenset({".csv", ".js", ".cjs", ".mjs", ".ts", ".env"})


def _claim(file: SourceFile) -> Claim:
    if file.suffix in _BESIDE:
        return Claim.COMPANION
    if file.suffix not in (".yml", ".yaml", ".json", ""):
        return Claim.NO
    head = file.head
    has_scenarios = _SCENARIOS.search(head) is not None
    if _ARRIVALS.search(head) or (has_scenarios and _FLOW.search(head)):
        return Claim.SURE
    if _CONFIG.search(head) and (has_scenarios or (_TARGET.search(head) and _PHASES.search(head))):
        return Claim.LIKELY
    return Claim.NO


IMPORTER: Final = Importer(
    name="artillery",
    title="an Artillery test",
    claim=_claim,
    reader="planrunner.importers.formats.artillery.reader:read",
)
