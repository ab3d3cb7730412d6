"""Every file that makes a plan or is named by it, read once: what workers compile from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path

from planrunner.language.files import ANYWHERE, MAX_READ, MAX_SENT, Folders, check_file, read_file
from planrunner.plan.functions import PlanFunction
from planrunner.plan.yaml.files import read_text
from planrunner.plan.yaml.places import ArgumentNames
from planrunner.values import dataclass

__all__ = ["Bundle", "NamedFiles"]


@dataclass(frozen=True, slots=True)
class Bundle:
    """The texts of a plan; pickles, so that a worker on another machine needs no files.

    Attributes:
        file: The plan itself, as it was named.
        texts: The plan, its imports and its defaults by file, in reading order.
        contents: Files that the plan names, by path, as far as they have been read.
        folders: Where the files that the plan names may lie.
        defaults: The file that has what the plan leaves out; empty for none.
        functions: What stands in the plan in the place of steps, by the name that its text has;
            they don't pickle, and run in the process that made the plan only.
        arguments: What its places are called if Python wrote it.
    """

    file: str
    texts: Mapping[str, str]
    contents: dict[str, bytes] = field(default_factory=dict, compare=False)
    folders: Folders = ANYWHERE
    defaults: str = ""
    functions: Mapping[str, PlanFunction] = field(default_factory=dict, repr=False)
    arguments: ArgumentNames | None = None

    @property
    def digest(self) -> str:
        """A hash of all texts; the same wherever the plan's directory is."""
        directory = Path(self.file).parent
        found = hashlib.sha256()
        for file, text in self.texts.items():
            name = os.path.relpath(file, directory).encode("utf-8", "surrogateescape")
            content = text.encode()
            found.update(b"%d %d " % (len(name), len(content)) + name + content)
        for function in self.functions.values():
            found.update(function.source.encode())
        return found.hexdigest()

    def reader(self) -> Callable[[str], str]:
        """Return what reads from the bundle in place of the disk."""

        def read(file: str) -> str:
            text = self.texts.get(file)
            if text is not None:
                return text
            return read_text(file, ANYWHERE if file == self.file else self.folders)

        return read

    def beside(self, file: str) -> NamedFiles:
        """Return access to what `file` names; relative paths start at its directory."""
        here, of_plan = Path(file).parent, Path(self.file).parent
        modules = tuple(dict.fromkeys((here.absolute(), of_plan.absolute())))
        return NamedFiles(here, self.contents, self.folders, modules=modules)


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """The files that one file names.

    Attributes:
        directory: Where that file is.
        contents: As far as they have been read.
        folders: Where they may lie.
        hooks: The plan's own Python file; None without one.
        modules: Where other Python files of its author may lie, the nearest first.
    """

    directory: Path
    contents: dict[str, bytes] = field(default_factory=dict)
    folders: Folders = ANYWHERE
    hooks: Path | None = None
    modules: tuple[Path, ...] = ()

    def path(self, name: str, *, most: int = MAX_SENT) -> Path:
        """Return where the file is; it is a regular one of at most `most` bytes.

        Raises:
            FileFault: There is none, or the plan can't have it.
        """
        path = self.folders.locate(self.directory / name)
        check_file(path, most=most, folders=self.folders)
        return path

    def read(self, name: str, *, most: int = MAX_READ) -> bytes:
        """Return what is in the file; reads it once for the whole plan.

        Raises:
            FileFault: There is none, or the plan can't have it.
        """
        path = str(self.directory / name)
        if path not in self.contents:
            self.contents[path] = read_file(path, most=most, folders=self.folders)
        return self.contents[path]
