"""A file that only has whole lines, whoever else appends to it and however full the disk is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["LineFile"]

_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
_NO_WAITING: Final = getattr(os, "O_NONBLOCK", 0)  # a pipe that nobody reads is an error at once


class LineFile:
    """Appends lines; each is in the file when `append` returns.

    Args:
        path: A new file, or one that there is; its folders are made.

    Raises:
        OSError: It can't be written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, _FLAGS | _NO_WAITING, 0o666)

    def append(self, line: str) -> None:
        """Append a line, whole or not at all.

        Raises:
            OSError: It can't be written.
        """
        data = line.encode("utf-8", "replace")
        before = os.fstat(self._file).st_size
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:
            if written:  # a pipe has no end to cut off
                with suppress(OSError):
                    os.ftruncate(self._file, before)
            raise

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._file)
