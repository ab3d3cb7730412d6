"""The record of the format, and how it is recognized."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_IMPORT: Final = re.compile(rb"^[ \t]*(?:from|import)[ \t]+locust\b", re.MULTILINE)
_CONF: Final = re.compile(rb"^[ \t]*(?:locustfile|users|spawn-rate|run-time)[ \t]*=", re.MULTILINE)


def _claim(file: SourceFile) -> Claim:
    if file.suffix == ".py":
        return Claim.SURE if _IMPORT.search(file.head) else Claim.COMPANION
    if not file.suffix and _IMPORT.search(file.head):
        return Claim.SURE
    if file.suffix in (".conf", ".toml") and _CONF.search(file.head):
        return Claim.COMPANION
    return Claim.NO


IMPORTER: Final = Importer(
    "locust", "a Locust file", _claim, "planrunner.importers.formats.locust.read:read"
)
