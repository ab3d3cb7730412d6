"""Local files that a test names: those beside it are copied, the others need a person."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from planrunner.importers.draft import DraftPlan
from planrunner.importers.sources import SourceFile, decode
from planrunner.loss.ledger import Construct

__all__ = ["KeptFiles"]


class KeptFiles:
    """The files around a test."""

    def __init__(self, main: SourceFile, given: Iterable[SourceFile], draft: DraftPlan) -> None:
        self._folder = main.path.parent if main.path is not None else None
        self._given = {Path(one.name).name: one for one in given}
        self._draft = draft

    def keep(self, name: str, construct: Construct, stand_in: str = "stand-in\n") -> str:
        """Put a file beside the plan, and return its name there.

        Where there is none, the property is judged, and a stand-in keeps the plan valid.
        """
        plain = PurePosixPath(name.replace("\\", "/"))
        copied = self.copied(name) if "${" not in name else None
        if copied is None:
            target = f"stand-ins/{_safe(plain.name)}"
            construct.needs_you(f"put the real file in the place of `{target}`")
            return self._put(target, stand_in.encode("utf-8", "replace"))
        construct.translated()
        return copied

    def copied(self, name: str) -> str | None:
        """Put a file beside the plan, and return its name there; None where there is none."""
        plain = PurePosixPath(name.replace("\\", "/"))
        found = self.find(name)
        if found is None:
            return None
        target = str(plain) if self._inside(plain) is not None else plain.name
        self._draft.files[target] = found.path if found.path is not None else found.content
        return target

    def write(self, target: str, content: bytes, *, overwrites: bool = False) -> str:
        """Put something beside the plan that the import makes; returns its path there."""
        if overwrites:
            self._draft.files[target] = content
            return target
        stem, dot, suffix = target.rpartition(".")
        number, wish = 1, target
        while self._draft.files.get(wish, content) != content:
            number += 1
            wish = f"{stem}_{number}{dot}{suffix}"
        self._draft.files[wish] = content
        return wish

    def _put(self, target: str, content: bytes) -> str:
        """Put a stand-in beside the plan; one of the same name may hold other columns."""
        number, wish = 1, target
        while self._draft.files.get(target, content) != content:
            number += 1
            target = f"{wish}.{number}"
        self._draft.files[target] = content
        return target

    def find(self, name: str) -> SourceFile | None:
        """Return a file that was given, or that lies below the folder of the test."""
        plain = PurePosixPath(name.replace("\\", "/"))
        if plain.name in self._given:
            return self._given[plain.name]
        for one in (plain, PurePosixPath(plain.name)):
            path = self._inside(one)
            if path is not None:
                return SourceFile(path, str(path))
        return None

    def text(self, name: str) -> str | None:
        """Return the text of a file; None if there is none, or none that can be read."""
        found = self.find(name)
        return decode(found.content) if found is not None else None

    def _inside(self, plain: PurePosixPath) -> Path | None:
        if self._folder is None or plain.is_absolute() or ".." in plain.parts or not plain.name:
            return None
        try:
            path = (self._folder / plain).resolve()
            is_inside = path.is_relative_to(self._folder.resolve())
            return self._folder / plain if is_inside and path.is_file() else None
        except (OSError, ValueError, RuntimeError):
            return None


def _safe(name: str) -> str:
    """Return a name that a file can have, without expressions."""
    return (
        re.sub(r"[^\w.-]+", "_", re.sub(r"\$\{([^{}]*)\}", r"\1", name))[:80].strip(".") or "file"
    )
