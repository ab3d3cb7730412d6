"""Hides packages from `import`, as on a machine where they are not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

__all__ = ["hidden", "write_hiding_site"]

_SITE = """\
import sys

class Missing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing)
for name in {names!r}:
    sys.modules.pop(name, None)
"""


class _Missing(MetaPathFinder):
    """A finder that knows better than those behind it."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname.partition(".")[0] in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


@contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Hide top-level modules from this process; those imported before come back at the end."""
    finder = _Missing(names)
    away = {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in names
    }
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.modules.update(away)


def write_hiding_site(folder: Path, *names: str, more: str = "") -> str:
    """Write a `sitecustomize` that hides modules from any process with `folder` in PYTHONPATH.

    Args:
        folder: Where to write it; made if it is not there.
        names: The top-level modules.
        more: Code that the process runs after it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_SITE.format(names=names) + more, encoding="utf-8")
    return str(folder)
