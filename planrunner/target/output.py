"""What services printed: kept in the run directory, without the secrets of the plan."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, TextIO

__all__ = ["last_lines", "veil"]

_LAST_LINES: Final = 10
_LAST_BYTES: Final = 8_192
_MOST_AT_ONCE: Final = 8_000_000


def last_lines(log: Path) -> list[str]:
    """Return the last lines of a file, none when there is no such file."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()[-_LAST_LINES:]
    return []


def veil(log: Path, mask: Callable[[str], str]) -> None:
    """Take secrets out of a file that nobody writes to any more; one without stays as it is.

    A file of many megabytes is gone through in pieces that end with a line, so only a secret of
    several lines can escape there.
    """
    veiled = log.with_name(f"{log.name}.veiled")
    with suppress(OSError):
        is_clean = True
        with _text(log, "r") as file, _text(veiled, "w") as copy:
            while piece := "".join(file.readlines(_MOST_AT_ONCE)):
                masked = mask(piece)
                is_clean = is_clean and masked == piece
                copy.write(masked)
        if is_clean:
            veiled.unlink()
        else:
            veiled.replace(log)


def _text(path: Path, mode: Literal["r", "w"]) -> TextIO:
    # Bytes that are no UTF-8 come out as they went in, and so do ends of lines.
    return path.open(mode, encoding="utf-8", errors="surrogateescape", newline="")
