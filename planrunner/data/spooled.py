"""Rows of files that can only be read in order, kept on disk so that each has a place.

Nothing of them is held in memory but 8 bytes a row.
"""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Callable, Iterator
from tempfile import TemporaryFile
from typing import IO

__all__ = ["StreamedTable"]


class StreamedTable:
    """The rows of a file that is read from its begin.

    Args:
        rows: Opens the file anew and yields its rows.
    """

    def __init__(self, rows: Callable[[], Iterator[object]]) -> None:
        self.stream = rows
        self._kept: IO[bytes] | None = None

    def places(self) -> array[int]:
        """Return where each row begins in a file of our own, which has no name."""
        self.close()
        kept = self._kept = TemporaryFile()  # noqa: SIM115 - closed with the table
        found = array("q")
        for row in self.stream():
            found.append(kept.tell())
            pickle.dump(row, kept, pickle.HIGHEST_PROTOCOL)
        return found

    def at(self, place: int) -> object:
        """Return the row at one of those places."""
        assert self._kept is not None
        self._kept.seek(place)
        return pickle.load(self._kept)

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None
