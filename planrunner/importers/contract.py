"""The contract of an importer: one record for each format."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from planrunner.importers.draft import DraftPlan
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Ledger
from planrunner.values import dataclass

__all__ = ["GROUP", "Claim", "ImportOptions", "ImportRequest", "Importer", "Reader"]

GROUP: Final = "planrunner.importers"
"""The entry-point group under which other packages bring formats."""


class Claim(IntEnum):
    """How sure a format is of a file; the surest one reads it."""

    NO = 0
    COMPANION = 1
    """It can be part of an import of this format, never the whole of one."""
    LIKELY = 2
    SURE = 3


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the command line asks for.

    Attributes:
        keeps_assets: Requests for static files of recordings are kept.
        resolves: Local files that a document points to are read.
    """

    keeps_assets: bool = False
    resolves: bool = False


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What a reader gets.

    Attributes:
        files: Those that belong together, mains first, in the order in which they were given.
        ledger: Where every construct of them is added and judged.
    """

    files: tuple[SourceFile, ...]
    options: ImportOptions
    ledger: Ledger


Reader = Callable[[ImportRequest], DraftPlan]
"""Reads the files into a draft; raises `ImportFault` for what isn't the format at all."""


@dataclass(frozen=True, slots=True)
class Importer:
    """A format that can be imported.

    Attributes:
        name: As `--from` takes it.
        title: What people call it, in a sentence: `a k6 script`.
        claim: Says how sure it is of a file, from its name and its `head`; cheap, never raises.
        reader: `package.module:function`, a `Reader`, imported when a file is read.
        packages: Modules of an extra that the reader imports.
    """

    name: str
    title: str
    claim: Callable[[SourceFile], Claim]
    reader: str
    packages: tuple[str, ...] = ()
