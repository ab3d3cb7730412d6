"""The first line of the CSV file of a data source: its columns, before a check has read it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from planrunner.lsp.documents.view import PlanView

__all__ = ["header_of"]

_LONGEST: Final = 10_000


def header_of(view: PlanView, name: str) -> tuple[str, ...]:
    """Return the columns of a data source that is a CSV file; empty if that isn't known."""
    for file, reading in view.files.items():
        node = reading.node(("data", name))
        data = node.data if node is not None and isinstance(node.data, dict) else {}
        if isinstance(given := data.get("columns"), list):
            return tuple(one for one in given if isinstance(one, str))
        if isinstance(named := data.get("csv"), str):
            return _first_line(Path(file).parent / named, str(data.get("delimiter", ",")))
    return ()


def _first_line(path: Path, delimiter: str) -> tuple[str, ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            row = next(csv.reader([lines.readline(_LONGEST)], delimiter=delimiter), [])
    except (OSError, ValueError, csv.Error, TypeError):
        return ()
    return tuple(name.strip() for name in row if name.strip())
