"""Where the files that a plan reads lie on another host than the one that has the plan."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from planrunner.values import dataclass

__all__ = ["HostFiles"]

_ROOT: Final = Path("/")


@dataclass(frozen=True, slots=True)
class HostFiles:
    """The files of a plan on a host: each below one folder, under its whole path.

    So what lies beside a file lies beside it there too, and a path loses the folder again where
    people read it.

    Attributes:
        tree: That folder.
        directory: The coordinator's current folder, where relative paths begin.
        links: Paths that lead elsewhere, and where: of files that must lie where they really are.
        dealt: The workers whose rows are in a file that has not all of them, in the order in which
            they draw them.
    """

    tree: Path
    directory: str
    links: Mapping[str, str] = field(default_factory=dict)
    dealt: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def here(cls) -> HostFiles:
        """Return them for processes of this machine, whatever their current folder is."""
        return cls(_ROOT, os.getcwd())  # noqa: PTH109 - as text

    @property
    def working_directory(self) -> Path:
        """Where processes start: what they call by a relative path lies there."""
        return self.place(".")

    def whole(self, path: str | Path) -> str:
        """Return a path of the coordinator's from its root on."""
        whole = os.path.normpath(os.path.join(self.directory, path))  # noqa: PTH118 - as text
        return self.links.get(whole, whole)

    def place(self, path: str | Path) -> Path:
        """Return where a file of the coordinator's lies on this host; such a place stays."""
        if Path(path).is_relative_to(self.tree):
            return Path(path)
        return self.tree / Path(self.whole(path)).relative_to(_ROOT)

    def workers(self, path: str | Path) -> tuple[int, ...]:
        """Return whose rows a file of the coordinator's has here; none when it has all."""
        return self.dealt.get(self.whole(path), ())

    def shown(self, text: str) -> str:
        """Return a text with paths as the coordinator has them."""
        return text if self.tree == _ROOT else text.replace(str(self.tree), "")
