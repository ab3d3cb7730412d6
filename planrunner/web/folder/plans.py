"""The plans of a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from planrunner.plan.defaults.file import is_defaults
from planrunner.plan.plan_text import A_PLAN
from planrunner.web.folder.choices import PlanChoices
from planrunner.web.folder.plan_check import plan_check

__all__ = ["PlansOfFolder"]

_REPORTS: Final = Path("reports")
"""Where plans have their runs that say nothing of it."""

_DEEPEST: Final = 3
_MOST: Final = 500
_MOST_BYTES: Final = 2_000_000
_SKIPPED: Final = frozenset({"node_modules", "reports", "venv", "__pycache__"})
_A_PLAN: Final = re.compile(A_PLAN.encode(), re.MULTILINE)

_Stamp = tuple[tuple[str, int, int], ...]
"""Files with the time of their last change and their sizes."""


class PlansOfFolder:
    """Finds them, and says what they say.

    Args:
        folder: Where they are, at most three folders deep.
        environ: What their params see as environment variables.
        no_exec: Refuse what they would run on this machine, and reading outside their folders.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], *, no_exec: bool) -> None:
        self.folder = folder
        self.environ = dict(environ)
        self.no_exec = no_exec
        self._rows: dict[Path, tuple[_Stamp, dict[str, Any]]] = {}

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each plan; checks those anew of which a file has changed."""
        rows = {path: self._row(path) for path in self._paths() if _is_plan(path)}
        self._rows = rows
        return [row for _, row in rows.values()]

    def _row(self, path: Path) -> tuple[_Stamp, dict[str, Any]]:
        before = self._rows.get(path)
        if before is not None and before[0] == _stamp([Path(file) for file, *_ in before[0]]):
            return before
        found = self.check(path, PlanChoices())
        stamp = _stamp([path, *map(Path, found["files"])])
        return stamp, {
            "id": found["id"],
            "path": found["path"],
            "name": found["name"],
            "description": found["description"],
            "valid": not found["faults"],
            "faults": len(found["faults"]),
            "reports": found["reports"],
        }

    def reports(self) -> set[Path]:
        """Return the folders that their runs are in."""
        return {_REPORTS, *(Path(row["reports"]) for row in self.rows() if row["reports"])}

    def find(self, plan_id: str) -> Path | None:
        """Return the file of a plan of this folder."""
        return next((path for path in self._paths() if self._id(path) == plan_id), None)

    def _id(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def check(self, path: Path, choices: PlanChoices) -> dict[str, Any]:
        """Return what is to be said of a plan with what was chosen."""
        found = plan_check(path, choices, self.environ, no_exec=self.no_exec)
        return {"id": self._id(path), **found}

    def _paths(self) -> Iterator[Path]:
        yield from sorted(_below(self.folder, _DEEPEST))[:_MOST]


def _below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    for path in entries:
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            if depth > 1 and path.name not in _SKIPPED:
                yield from _below(path, depth - 1)
        elif path.suffix in (".yaml", ".yml") and path.is_file() and not is_defaults(path):
            yield path


def _is_plan(path: Path) -> bool:
    try:
        return path.stat().st_size <= _MOST_BYTES and bool(_A_PLAN.search(path.read_bytes()))
    except OSError:
        return False


def _stamp(paths: list[Path]) -> _Stamp:
    return tuple(map(_mark, dict.fromkeys(paths)))


def _mark(path: Path) -> tuple[str, int, int]:
    try:
        facts = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), facts.st_mtime_ns, facts.st_size
