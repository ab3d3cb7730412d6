"""Standard output: documents as files would have them, and no letter ends a command."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import TextIO

__all__ = ["never_refuse", "stdout_for_documents"]


def never_refuse() -> None:
    """Let no letter that the terminal lacks, nor half a surrogate pair in a name, end a command."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def stdout_for_documents() -> TextIO:
    r"""Return stdout for JSON and reports: UTF-8, line ends as written, `\ud83d` spelt out."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")
    return sys.stdout
