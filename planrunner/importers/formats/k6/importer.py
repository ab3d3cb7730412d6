"""The record of the format, and how it is recognized."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_SCRIPTS: Final = (".js", ".ts", ".mjs", ".cjs", ".mts")
_MODULE: Final = re.compile(
    rb"""(?:from|import|require\()\s*['"](?:k6(?:/[\w./-]+)?|https://jslib\.k6\.io/)"""
)
_ENTRY: Final = re.compile(
    rb"export\s+default\b|export\s+(?:const|let|var)\s+options\b|exports\.default"
)


def _claim(file: SourceFile) -> Claim:
    if file.suffix in (".csv", ".json", ".txt", ".proto"):
        return Claim.COMPANION
    if file.suffix not in _SCRIPTS:
        return Claim.SURE if _MODULE.search(file.head) and _ENTRY.search(file.head) else Claim.NO
    if _ENTRY.search(file.head):
        return Claim.SURE if _MODULE.search(file.head) else Claim.LIKELY
    return Claim.LIKELY if _MODULE.search(file.head) else Claim.COMPANION


IMPORTER: Final = Importer(
    name="k6",
    title="a k6 script",
    claim=_claim,
    reader="planrunner.importers.formats.k6.read:read",
    packages=("tree_sitter_javascript", "tree_sitter_typescript"),
)
