"""JMX: recognized by its root element."""

from __future__ import annotations

from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_COMPANIONS: Final = frozenset({".csv", ".txt", ".tsv", ".dat"})


def _claim(file: SourceFile) -> Claim:
    head = file.head.replace(b"\x00", b"")  # UTF-16 too
    if b"<jmeterTestPlan" in head:
        return Claim.SURE
    if file.suffix == ".jmx":
        return Claim.LIKELY
    return Claim.COMPANION if file.suffix in _COMPANIONS else Claim.NO


IMPORTER: Final = Importer(
    name="jmx",
    title="a JMeter test plan",
    claim=_claim,
    reader="planrunner.importers.formats.jmx.reader:read",
    packages=("lxml",),
)
