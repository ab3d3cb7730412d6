"""The record of the format, and how it is recognized."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.contract import Claim, Importer
from planrunner.importers.sources import SourceFile

__all__ = ["IMPORTER"]

_COMMAND: Final = re.compile(rb"(?:^|[\s;&|({`/])curl(?:\.exe)?[ \t]", re.MULTILINE)
_FIRST: Final = re.compile(rb"\A(?:\s|#[^\n]*\n)*(?:\$ )?curl(?:\.exe)?\s")
_SHELL: Final = re.compile(rb"\A#![^\n]*sh\b")
_SUFFIXES: Final = (".sh", ".bash", ".zsh", ".curl", ".cmd", ".bat", ".txt")


def _claim(file: SourceFile) -> Claim:
    if _FIRST.match(file.head):
        return Claim.SURE
    if (file.suffix in _SUFFIXES or _SHELL.match(file.head)) and _COMMAND.search(file.head):
        return Claim.LIKELY
    return Claim.NO


IMPORTER: Final = Importer(
    "curl", "commands of curl", _claim, "planrunner.importers.formats.curl.read:read"
)
