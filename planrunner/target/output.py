"""What services printed, as it is kept in the run directory."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["last_lines"]

_LAST_LINES: Final = 10
_LAST_BYTES: Final = 8_192


def last_lines(log: Path) -> list[str]:
    """Return the last lines of a file, none when there is no such file."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()[-_LAST_LINES:]
    return []
