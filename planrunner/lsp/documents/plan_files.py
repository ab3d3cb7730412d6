"""The files that make one plan: imports both ways, and defaults."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Final

from planrunner.lsp.documents.reading import PlanReading
from planrunner.plan.defaults.file import DEFAULTS_FILE

__all__ = ["candidates", "plan_files"]

_MOST_FILES: Final = 1_000
_LEFT_OUT: Final = frozenset({"node_modules", "reports", "site-packages"})

GiveReading = Callable[[Path], PlanReading | None]


def plan_files(path: Path, read: GiveReading, others: Iterable[Path]) -> dict[str, PlanReading]:
    """Return the readings of all files that share names with a file, itself first.

    Args:
        path: The file.
        read: Reads a file as the editor has it, else from disk.
        others: Files that may be plans which import it.
    """
    found: dict[str, PlanReading] = {}
    own = os.path.normpath(path)
    importers = [Path(own)]
    for other in others:
        reading = read(other)
        if reading is not None and own in set(_imported(other, reading)):
            importers.append(other)
    for plan in importers:
        reading = read(plan)
        if reading is None:
            continue
        found.setdefault(os.path.normpath(plan), reading)
        for file in (*_imported(plan, reading), str(plan.parent / DEFAULTS_FILE)):
            inner = read(Path(file))
            if inner is not None:
                found.setdefault(os.path.normpath(file), inner)
    return found


def _imported(path: Path, reading: PlanReading) -> Iterator[str]:
    data = reading.tree.data
    names = data.get("imports") if isinstance(data, dict) else None
    for name in names if isinstance(names, list) else ():
        if isinstance(name, str) and name:
            yield os.path.normpath(path.parent / name)


def candidates(path: Path, folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that may import a file: beside it, above it, and in the editor's folders."""
    near = (path.parent, path.parent.parent)
    nearby = (file for folder in near for file in sorted(folder.glob("*.y*ml")))
    below = (one for folder in folders for one in _below(folder))
    for file in islice(chain(nearby, below), _MOST_FILES):
        if file != path and file.suffix in (".yaml", ".yml") and _has_imports(file):
            yield file


def _below(folder: Path) -> Iterator[Path]:
    for root, names, files in os.walk(folder):
        names[:] = sorted(one for one in names if one[0] != "." and one not in _LEFT_OUT)
        for file in sorted(files):
            if file.endswith((".yaml", ".yml")):
                yield Path(root, file)


def _has_imports(file: Path) -> bool:
    try:
        return file.stat().st_size < _LARGEST and b"imports:" in file.read_bytes()
    except OSError:
        return False


_LARGEST: Final = 1_000_000
