"""Every file that a plan reads while it runs, with what is in it: what other hosts must get."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

from planrunner.cluster.files.chunks import CHUNK, LaidFile, key_of
from planrunner.errors import CannotRun
from planrunner.graph.run_graph import RunGraph
from planrunner.language.files import ANYWHERE, MAX_SENT, FileFault, Folders, open_file
from planrunner.plan.bundle import Bundle, ChosenName
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.python_files import python_files
from planrunner.units import format_count
from planrunner.values import dataclass

__all__ = ["FileToSend", "Manifest", "NeededFiles", "file_to_send", "manifest", "needed_files"]

_MOST_CHOSEN: Final = 10_000
"""Files that users may choose from by one name."""


@dataclass(frozen=True, slots=True)
class FileToSend:
    """A file, as the coordinator has it.

    Attributes:
        laid: What a host makes of it.
        source: What is read; another path than that of the plan where rows are dealt.
        size: In bytes.
        digest: The hash of its content.
        workers: Whose rows are in it; empty when it has all.
    """

    laid: LaidFile
    source: Path
    size: int
    digest: str
    workers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one host gets.

    Attributes:
        folders: That must be there, by their whole paths.
        directory: The coordinator's current folder.
        links: See `HostFiles`.
    """

    files: tuple[FileToSend, ...]
    folders: tuple[str, ...]
    directory: str
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A file that a plan reads while it runs.

    Attributes:
        source: Its path as the plan has it: what `..` leads to depends on links before it.
    """

    source: str
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class NeededFiles:
    """All that a plan reads while it runs.

    Attributes:
        files: By whole path.
        tables: Those of `files` that are read for their rows, and for nothing else.
        links: See `HostFiles`.
    """

    files: dict[str, NeededFile]
    tables: frozenset[str]
    links: dict[str, str]


def needed_files(plan: CheckedPlan, graph: RunGraph) -> NeededFiles:
    """Return what a plan reads while it runs, once it was compiled to `graph`.

    Raises:
        CannotRun: It can't be told in advance, or is more than should be sent.
    """
    known, files = plan.bundle.known, dict[str, NeededFile]()

    def add(source: str, *, is_secret: bool = False) -> None:
        path = _whole(source)
        other = files.setdefault(path, NeededFile(source, is_secret))
        if other.source != source and not Path(other.source).samefile(source):
            raise CannotRun(
                f"`{other.source}` and `{source}` would be one file on other hosts",
                hint="name both without `..` behind a symbolic link",
            )
        files[path] = NeededFile(other.source, other.is_secret or is_secret)

    for source, is_secret in known.given.items():
        add(source, is_secret=is_secret)
    author, links = _python(plan)
    for source in (*author, *(path for name in known.chosen for path in _matching(name))):
        add(source)
    rows_only = frozenset(map(_whole, known.tables)).difference(files)
    secret = [node for node in graph.data if node.secret or node.is_secret]
    of_secrets = {os.path.realpath(node.path) for node in secret}
    for source in known.tables:
        add(source, is_secret=os.path.realpath(source) in of_secrets)
    return NeededFiles(files, rows_only, links)


def manifest(bundle: Bundle, needed: NeededFiles, files: Iterable[FileToSend]) -> Manifest:
    """Return what a host gets: these files, and the folders in which commands may run."""
    folders = {_whole(os.path.dirname(file) or ".") for file in (bundle.file, *bundle.texts)}  # noqa: PTH120 - as text
    directory = str(Path.cwd())
    return Manifest(tuple(files), tuple(sorted({*folders, directory})), directory, needed.links)


def file_to_send(
    path: str, source: str | Path, *, is_secret: bool, folders: Folders = ANYWHERE
) -> FileToSend:
    """Return a file with its hash; it is read for that, so call it in a thread.

    Args:
        path: The whole path that it has in the plan.
        source: What is read.
        is_secret: Whether hosts must not keep it.
        folders: Where the plan's files may lie.

    Raises:
        CannotRun: It can't be read any more.
    """
    try:
        with open_file(source, most=MAX_SENT, folders=folders) as stream:
            status = os.fstat(stream.fileno())
            content = blake2b(digest_size=32)
            while piece := stream.read(CHUNK):
                content.update(piece)
            size, digest = stream.tell(), content.hexdigest()
    except FileFault as fault:
        raise CannotRun(f"`{path}` {fault.message}", hint=fault.hint) from fault
    except OSError as error:
        raise CannotRun(f"`{path}` can't be read: {error.strerror or error}") from error
    laid = LaidFile(
        path, key_of(digest, is_secret=is_secret), is_executable=bool(status.st_mode & 0o100)
    )
    return FileToSend(laid, Path(source), size, digest)


def _whole(path: str | Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - links stay


def _python(plan: CheckedPlan) -> tuple[list[str], dict[str, str]]:
    """Return the author's Python files, and where they really lie: Python looks beside that."""
    found = python_files(plan)
    if found.too_large:
        raise CannotRun(
            f"the package `{found.too_large[0]}` is too large to be sent to other hosts: it has "
            "more than 2,000 files or 64 MB",
            hint="keep data out of it and name that in the plan, or install it on all hosts",
        )
    files = [str(file) for file in found.files]
    hooks = None if plan.model.hooks is None else plan.files_at(("hooks",)).hooks
    real = "" if hooks is None else str(hooks.resolve())
    links = {} if hooks is None or real == _whole(hooks) else {_whole(hooks): real}
    return files, links


def _matching(name: ChosenName) -> Iterator[str]:
    """Yield the files that a name may mean.

    Raises:
        CannotRun: They are too many.
    """
    pieces = name.pieces
    first = pieces[0] or "" if pieces else ""
    if first.startswith("/") or ".." in Path("".join(piece or "" for piece in pieces)).parts:
        return  # of commands, which are on all hosts; users choose only below the folder
    top = Path(_whole(name.directory))
    if None not in pieces:
        path = top / first
        if first and path.is_file():
            yield _whole(path)
        return
    pattern = re.compile("".join(".+" if one is None else re.escape(one) for one in pieces))
    count = 0
    for path in _files_below(top / first.rpartition("/")[0]):
        if pattern.fullmatch(path.relative_to(top).as_posix()):
            count += 1
            if count > _MOST_CHOSEN:
                shown = "".join("${…}" if one is None else one for one in pieces)
                raise CannotRun(
                    f"users choose among more than {format_count(_MOST_CHOSEN, 'file')} with "
                    f"`{shown}` in `{top}`, too many to be sent to other hosts",
                    hint="begin the name with the folder that has them: `uploads/${…}`",
                )
            yield str(path)


def _files_below(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for file in sorted(files):
            path = Path(here, file)
            if path.is_file():
                yield path
