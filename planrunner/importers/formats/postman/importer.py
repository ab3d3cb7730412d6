"""How a collection of Postman, an environment or globals are recognized."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_COLLECTION: Final = re.compile(rb"schema\.getpostman\.com/json/collection/v2")
_PARTS: Final = re.compile(rb'"item"\s*:\s*\[.*"request"\s*:', re.DOTALL)
_SCOPE: Final = re.compile(rb'"_postman_variable_scope"|"values"\s*:\s*\[\s*\{')


def _claim(file: SourceFile) -> Claim:
    if file.suffix == ".csv":
        return Claim.COMPANION
    head = file.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head.startswith(b"{"):
        return Claim.NO
    if _COLLECTION.search(head) or "postman_collection" in file.name:
        return Claim.SURE
    if _SCOPE.search(head) or "postman_environment" in file.name:
        return Claim.COMPANION
    return Claim.LIKELY if b'"info"' in head and _PARTS.search(head) else Claim.NO


IMPORTER: Final = Importer(
    name="postman",
    title="a Postman collection",
    claim=_claim,
    reader="planrunner.importers.formats.postman.reader:read",
    packages=("tree_sitter_javascript",),
)
