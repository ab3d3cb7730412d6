"""Readings of files, as an editor has them or else as they are on disk; each text is read once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from planrunner.lsp.documents.places import EditorLines
from planrunner.lsp.documents.reading import PlanReading, read_plan

__all__ = ["ReadingCache"]


class ReadingCache:
    """Knows what can be read of each file; of a text that can't be read, what could be before.

    Args:
        typed: The texts that the editor has, by path.
        lines_of: Gives the lines of a text.
    """

    def __init__(self, typed: Mapping[str, str], lines_of: Callable[[str], EditorLines]) -> None:
        self._typed = typed
        self._lines_of = lines_of
        self._lock = Lock()
        self._stamps: dict[str, object] = {}
        self._readings: dict[str, PlanReading | None] = {}

    def read(self, path: Path) -> PlanReading | None:
        """Return what can be read of a file now."""
        file = os.path.normpath(path)
        with self._lock:
            text = self._typed.get(file)
            stamp = text if text is not None else _stamp(path)
            if stamp is None:
                return None
            if file not in self._stamps or self._stamps[file] != stamp:
                self._stamps[file] = stamp
                said = text if text is not None else _text(path)
                reading = read_plan(path, said, self._lines_of(said))
                self._readings[file] = reading or self._readings.get(file)
            return self._readings[file]

    def last(self, path: Path) -> PlanReading | None:
        """Return what was last read of a file, without reading."""
        return self._readings.get(os.path.normpath(path))

    def forget(self, path: Path) -> None:
        """Take nothing of a file for known."""
        self._stamps.pop(os.path.normpath(path), None)


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
