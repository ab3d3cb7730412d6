"""How a recording is recognized."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_LOG: Final = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{\s*"log"\s*:\s*\{')
_MARKS: Final = re.compile(rb'"(?:creator|entries|startedDateTime|pages)"')


def _claim(file: SourceFile) -> Claim:
    if file.suffix == ".har":
        return Claim.SURE
    return Claim.SURE if _LOG.match(file.head) and _MARKS.search(file.head) else Claim.NO


IMPORTER: Final = Importer(
    name="har",
    title="a recording (HAR)",
    claim=_claim,
    reader="planrunner.importers.formats.har.reader:read",
)
