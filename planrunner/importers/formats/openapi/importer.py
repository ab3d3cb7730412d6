"""The record of the format, and how it is recognized."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_VERSION: Final = re.compile(rb"""["']?(?:openapi|swagger)["']?\s*:\s*["']?[23]\.\d""")
_SUFFIXES: Final = (".json", ".yaml", ".yml")


def _claim(file: SourceFile) -> Claim:
    if _VERSION.search(file.head):
        return Claim.SURE
    return Claim.COMPANION if file.suffix in _SUFFIXES else Claim.NO


IMPORTER: Final = Importer(
    "openapi",
    "a description of OpenAPI or Swagger",
    _claim,
    "planrunner.importers.formats.openapi.read:read",
)
