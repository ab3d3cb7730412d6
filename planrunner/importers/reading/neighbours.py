"""Local files that a test names: those given with it, and those that lie below its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from planrunner.importers.sources import SourceFile

__all__ = ["neighbour"]


def neighbour(name: str, beside: SourceFile, files: Sequence[SourceFile]) -> Path | None:
    """Return the file that a test means by a name; None if it isn't there, or lies elsewhere."""
    for one in files:
        if one.path is not None and one.path.name == PurePosixPath(name).name:
            return one.path
    if beside.path is None or not name or "\0" in name:
        return None
    folder = beside.path.parent.resolve()
    try:
        found = (folder / name).resolve()
        is_there = found.is_relative_to(folder) and found.is_file()
    except OSError:
        return None
    return found if is_there else None
