"""How an export of Insomnia is recognized."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_EXPORT: Final = re.compile(
    rb"['\"]?__export_format['\"]?\s*:\s*[34]\b|\A\s*type:\s*['\"]?collection\.insomnia\.rest/5"
)


def _claim(file: SourceFile) -> Claim:
    return Claim.SURE if _EXPORT.search(file.head) else Claim.NO


IMPORTER: Final = Importer(
    name="insomnia",
    title="an export of Insomnia",
    claim=_claim,
    reader="planrunner.importers.formats.insomnia.reader:read",
)
