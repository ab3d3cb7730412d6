"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from planrunner.errors import CannotRun

__all__ = ["atomic_text_file"]


@contextmanager
def atomic_text_file(path: Path) -> Iterator[TextIO]:
    r"""Open a UTF-8 text file that appears under its name when the block ends without a fault.

    What is written goes into a neighbour of `path` and onto the disk before it takes the name;
    line ends stay as written. Half a surrogate pair is written as `\udc80`.

    Raises:
        CannotRun: It cannot be written; `path` is what it was before.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise CannotRun(
            f"cannot write `{path}`: {error.strerror or error}",
            hint="make room or choose another --out",
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync_directory(directory: Path) -> None:
    with suppress(OSError):  # some file systems refuse; the rename itself has succeeded
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
