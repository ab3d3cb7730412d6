"""Which files of a plan's author its Python code can reach, without running any of it.

A module that lies in one of the author's folders is followed, one of an installed package never.
"""

from __future__ import annotations

import ast
import importlib
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from planrunner.language.files import MAX_READ
from planrunner.protocols.python.functions import spec_in
from planrunner.values import dataclass

__all__ = ["AuthorFiles", "author_files"]

_MOST_FILES: Final = 2_000
_MOST_BYTES: Final = 64_000_000
"""Of one package, with the data in it: a folder with more is no package that someone wrote."""

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})

_MOST_NAME: Final = 255
"""Letters of a text that can name a file."""


@dataclass(frozen=True, slots=True)
class AuthorFiles:
    """What code of a plan's author is made of.

    Attributes:
        files: Modules, what lies beside them in their packages, and files that a text in a module
            names, relative to its folder or one of the searched ones; absolute and sorted.
        too_large: Packages with more files, or more bytes, than are looked at: of these, `files`
            has only the modules that are imported.
    """

    files: tuple[Path, ...]
    too_large: tuple[Path, ...] = ()


def author_files(
    starts: Iterable[Path], modules: Iterable[str], folders: Sequence[Path]
) -> AuthorFiles:
    """Return what the code can reach that begins in some files and modules.

    Imports are followed wherever they stand, those inside of functions too, and those by
    `importlib.import_module` with a literal name.

    Args:
        starts: Python files that are run by their path. Wherever links lead, the folder in which
            such a file really lies is searched first.
        modules: Names of modules that the plan calls.
        folders: Where modules of the author may lie, the nearest first.
    """
    starts = [file.resolve() for file in starts]
    search = dict.fromkeys([*(file.parent for file in starts), *folders])
    reach = _ImportWalk([str(folder.absolute()) for folder in search])
    for file in starts:
        reach.add(file, "")
    for name in modules:
        reach.follow(name)
    reach.walk()
    return AuthorFiles(tuple(sorted(reach.found)), tuple(sorted(reach.too_large)))


class _ImportWalk:
    def __init__(self, folders: list[str]) -> None:
        importlib.invalidate_caches()  # a file may have been written a moment ago
        self._folders = folders
        self._names: set[str] = set()
        self._packages: set[Path] = set()
        self._unread: list[tuple[Path, str]] = []
        self.found: set[Path] = set()
        self.too_large: set[Path] = set()

    def add(self, file: Path, package: str) -> None:
        """Note a file; one of Python is read later, as a module of `package`."""
        if file not in self.found and _size(file) is not None:
            self.found.add(file)
            if file.suffix == ".py":
                self._unread.append((file, package))

    def walk(self) -> None:
        while self._unread:
            file, package = self._unread.pop()
            try:
                tree = ast.parse(_read(file))
            except (OSError, SyntaxError, ValueError, RecursionError):
                continue  # whoever imports it says so
            for name in _imported(tree, package):
                self.follow(name)
            for text in _texts(tree):
                for folder in (file.parent, *map(Path, self._folders)):
                    self.add(folder / text, "")

    def follow(self, name: str) -> None:
        """Note the module with this name, if it is the author's, and the packages around it."""
        folders, whole = self._folders, ""
        for part in name.split("."):
            whole = f"{whole}.{part}" if whole else part
            spec = spec_in(folders, whole) if part else None
            if spec is None:
                return
            within = spec.submodule_search_locations
            if spec.origin is not None and whole not in self._names:
                self._names.add(whole)
                self._module(Path(spec.origin), whole, is_package=within is not None)
            if within is None:
                return
            folders = [*within]

    def _module(self, file: Path, name: str, *, is_package: bool) -> None:
        if _INSTALLED.intersection(file.parts):
            return
        self.add(file, name if is_package else name.rpartition(".")[0])
        if is_package and not self._packages.intersection(file.parents):
            self._packages.add(file.parent)
            self._package(file.parent, name)

    def _package(self, folder: Path, name: str) -> None:
        """Note all that is in a package: what it reads by its own path is in it too."""
        size, inside = 0, []
        for file in _below(folder):
            inside.append(file)
            size += _size(file) or 0
            if len(inside) > _MOST_FILES or size > _MOST_BYTES:
                self.too_large.add(folder)
                return
        for file in inside:
            self.add(file, ".".join((name, *file.parent.relative_to(folder).parts)))


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, without those that Python and tools keep for themselves."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        if entry.is_dir() and not entry.is_symlink():  # a link may lead around
            yield from _below(entry)
        else:
            yield entry


def _size(file: Path) -> int | None:
    """Return the size of a regular file; None for all else."""
    try:
        found = file.stat()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(MAX_READ)


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield the names of all modules that a module may import; of some, what is in them too."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = _absolute("." * level + (module or ""), package)
                yield from (f"{base}.{alias.name}" for alias in names)
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                called = getattr(function, "attr", getattr(function, "id", ""))
                if called in ("import_module", "__import__"):
                    yield _absolute(name, package)
            case _:
                pass


def _absolute(name: str, package: str) -> str:
    """Return a name that may begin with dots as a whole one; of one that leads nowhere, none."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    around = package.split(".")
    if not package or level > len(around):
        return ""
    return ".".join([*around[: len(around) - level + 1], *filter(None, [name[level:]])])


def _texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a module that may name a file beside it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if "." in text and len(text) <= _MOST_NAME and text.isprintable():
                path = Path(text)
                if path.suffix and not path.is_absolute() and ".." not in path.parts:
                    yield text
