"""Every file that makes a plan or is named by it, read once: what workers compile from."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any, TypeVar

from planrunner.language.files import ANYWHERE, MAX_READ, MAX_SENT, Folders, check_file, read_file
from planrunner.language.hashes import sha256
from planrunner.plan.functions import PlanFunction
from planrunner.plan.host_files import HostFiles
from planrunner.plan.yaml.files import read_text
from planrunner.plan.yaml.places import ArgumentNames
from planrunner.values import dataclass

__all__ = ["Bundle", "ChosenName", "FilesKnown", "NamedFiles"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChosenName:
    """A name of files that may be read while the plan runs.

    Attributes:
        directory: Where it begins.
        pieces: Its parts; None stands for what users choose.
    """

    directory: str
    pieces: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class FilesKnown:
    """What was found out about the files that a plan names, for the whole plan.

    Attributes:
        contents: What is in those that are read while it is compiled, by path.
        findings: What else was found in them, by path and question.
        given: Those that are read while it runs, by path; True for one with a secret.
        tables: Those of which users draw rows, by path.
        chosen: Names of those that may be, too.
    """

    contents: dict[str, bytes] = field(default_factory=dict)
    findings: dict[Hashable, Any] = field(default_factory=dict)
    given: dict[str, bool] = field(default_factory=dict)
    tables: dict[str, None] = field(default_factory=dict)
    chosen: dict[ChosenName, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The texts of a plan; pickles, so that a worker on another machine needs no files.

    Attributes:
        file: The plan itself, as it was named.
        texts: The plan, its imports and its defaults by file, in reading order.
        known: What was found out about files that the plan names, as far as it was compiled.
        folders: Where the files that the plan names may lie.
        defaults: The file that has what the plan leaves out; empty for none.
        functions: What stands in the plan in the place of steps, by the name that its text has;
            they don't pickle, and run in the process that made the plan only.
        arguments: What its places are called if Python wrote it.
        host: Where the files are that the plan names, on another host than its own.
    """

    file: str
    texts: Mapping[str, str]
    known: FilesKnown = field(default_factory=FilesKnown, compare=False)
    folders: Folders = ANYWHERE
    defaults: str = ""
    functions: Mapping[str, PlanFunction] = field(default_factory=dict, repr=False)
    arguments: ArgumentNames | None = None
    host: HostFiles | None = None

    def on(self, host: HostFiles) -> Bundle:
        """Return the bundle as it is on another host."""
        return replace(self, host=host)

    @property
    def digest(self) -> str:
        """A hash of all texts; the same wherever the plan's directory is."""
        whole = os.path.abspath if self.host is None else self.host.whole
        directory = whole(Path(self.file).parent)
        found = sha256()
        for file, text in self.texts.items():
            name = os.path.relpath(whole(file), directory).encode("utf-8", "surrogateescape")
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
        origins = (Path(file).parent, Path(self.file).parent)
        if self.host is None:
            places = (origins[0], *(origin.absolute() for origin in origins))
        else:
            here, of_plan = map(self.host.place, origins)
            places = (here, here, of_plan)
        return NamedFiles(
            places[0],
            origin=origins[0],
            known=self.known,
            folders=self.folders,
            modules=tuple(dict.fromkeys(places[1:])),
            host=self.host,
        )


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """The files that one file names.

    Attributes:
        directory: Where that file is.
        origin: The same where the plan is.
        known: What was found out about files.
        folders: Where they may lie.
        hooks: The plan's own Python file; None without one.
        modules: Where other Python files of its author may lie, the nearest first.
        host: Where files are on another host.
    """

    directory: Path
    origin: Path
    known: FilesKnown
    folders: Folders = ANYWHERE
    hooks: Path | None = None
    modules: tuple[Path, ...] = ()
    host: HostFiles | None = None

    def path(self, name: str, *, most: int = MAX_SENT, is_secret: bool = False) -> Path:
        """Return where the file is; it is a regular one of at most `most` bytes.

        Raises:
            FileFault: There is none, or the plan can't have it.
        """
        found, given = self._checked(name, most), self.known.given
        path = str(self.origin / name)
        given[path] = given.get(path, False) or is_secret
        return found

    def table(self, name: str) -> Path:
        """Return where a file of rows is.

        Raises:
            FileFault: There is none, or the plan can't have it.
        """
        found = self._checked(name, MAX_SENT)
        self.known.tables[str(self.origin / name)] = None
        return found

    def read(self, name: str, *, most: int = MAX_READ) -> bytes:
        """Return what is in the file; reads it once for the whole plan.

        Raises:
            FileFault: There is none, or the plan can't have it.
        """
        path = str(self.origin / name)
        contents = self.known.contents
        if path not in contents:
            contents[path] = read_file(self._place(name), most=most, folders=self.folders)
        return contents[path]

    def may_read(self, pieces: Sequence[str | None]) -> None:
        """Note that files with such a name may be read while the plan runs, if there are any.

        Args:
            pieces: The parts of the name; None stands for what users choose.
        """
        self.known.chosen[ChosenName(str(self.origin), tuple(pieces))] = None

    def found(self, name: str, question: Hashable, find: Callable[[], T]) -> T:
        """Return what `find` returns about a file; asks once for the whole plan."""
        key = (str(self.origin / name), question)
        if key not in self.known.findings:
            self.known.findings[key] = find()
        found: T = self.known.findings[key]
        return found

    def workers(self, name: str) -> tuple[int, ...]:
        """Return the workers whose rows are in a file; none when it has those of all."""
        return () if self.host is None else self.host.workers(self.origin / name)

    def _checked(self, name: str, most: int) -> Path:
        path = self._place(name)
        check_file(path, most=most, folders=self.folders)
        return path

    def _place(self, name: str) -> Path:
        path = self.origin / name
        return self.folders.locate(path) if self.host is None else self.host.place(path)
