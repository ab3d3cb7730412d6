"""The one way to open what a plan names: a regular file, no larger than its use allows.

A pipe waits for a writer, a device has no end and a directory no content: each is refused, and no
such name can hold up the process or fill its memory. A plan from a stranger reads nothing outside
the folders that it is allowed (`--no-exec`).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import BinaryIO, Final

from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import Code
from planrunner.units import format_size
from planrunner.values import dataclass

__all__ = [
    "ANYWHERE",
    "ANY_SIZE",
    "MAX_READ",
    "MAX_SENT",
    "FileFault",
    "Folders",
    "check_file",
    "files_noted",
    "open_file",
    "read_file",
]

MAX_READ: Final = 16_000_000
"""Bytes of a file that is read whole while a plan is compiled: schemas, Python, certificates."""

MAX_SENT: Final = 100_000_000_000
"""Bytes of a file that is read piece by piece: bodies and test data."""

ANY_SIZE: Final = 1 << 63
"""For callers that judge the size themselves."""


class FileFault(PlanrunnerError):  # noqa: N818 - a fault of the plan, as `SpecFault` and `RowFault`
    """A file can't be used; the message continues a sentence that begins with its name.

    Attributes:
        code: What a diagnostic about it is called.
    """

    def __init__(self, code: Code, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files may lie; everywhere when there are no `roots`.

    Attributes:
        roots: Folders without symbolic links in their paths.
    """

    roots: tuple[Path, ...] = ()

    @classmethod
    def below(cls, folders: Sequence[str | os.PathLike[str]]) -> Folders:
        """Return the folders and all that is below them, wherever links in their paths lead."""
        return cls(tuple(Path(os.path.realpath(folder)) for folder in folders))

    def and_here(self) -> Folders:
        """Return them with the current folder, for what planrunner itself writes and reads."""
        return Folders((*self.roots, Path.cwd().resolve())) if self.roots else self

    def locate(self, path: str | os.PathLike[str]) -> Path:
        """Return the path to open.

        Raises:
            FileFault: It leads out of the folders, maybe through a symbolic link.
        """
        if not self.roots:
            return Path(path)
        real = Path(os.path.realpath(path))  # `resolve` raises where links form a circle
        if any(map(real.is_relative_to, self.roots)):
            return real
        raise FileFault(
            Code.NOT_ALLOWED,
            "is outside the plan's folder, and --no-exec lets a plan read nothing there",
            hint="if the plan may read it, add `--allow-read` with its folder",
        )


ANYWHERE: Final = Folders()

# Windows has the last one only, and without it changes line ends.
_FLAGS: Final = reduce(
    or_,
    (getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")),
    os.O_RDONLY,
)
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)


_noted: Final[ContextVar[set[Path] | None]] = ContextVar("noted", default=None)


@contextmanager
def files_noted() -> Iterator[set[Path]]:
    """Note which files this block opens or looks for, whether or not they are there."""
    files: set[Path] = set()
    token = _noted.set(files)
    try:
        yield files
    finally:
        _noted.reset(token)


def check_file(
    path: str | os.PathLike[str], *, most: int, folders: Folders = ANYWHERE
) -> os.stat_result:
    """Return what the system says about a file that could be opened now.

    Args:
        path: The file.
        most: How many bytes it may have.
        folders: Where it may lie.

    Raises:
        FileFault: There is none, or it can't be used.
    """
    with open_file(path, most=most, folders=folders) as stream:
        return os.fstat(stream.fileno())


def read_file(path: str | os.PathLike[str], *, most: int, folders: Folders = ANYWHERE) -> bytes:
    """Return what is in a file, which may have `most` bytes.

    Raises:
        FileFault: There is none, or it can't be used.
    """
    with open_file(path, most=most, folders=folders) as stream:
        try:
            content = stream.read(most + 1)  # it may have grown, and some say that they are empty
        except OSError as error:
            raise _unreadable(error) from error
    if len(content) > most:
        raise _too_large(len(content), most)
    return content


def open_file(path: str | os.PathLike[str], *, most: int, folders: Folders = ANYWHERE) -> BinaryIO:
    """Open a file to read it; its size may be `most` bytes now.

    Raises:
        FileFault: There is none, or it can't be used.
    """
    if (noted := _noted.get()) is not None:
        noted.add(Path(os.path.abspath(path)))  # noqa: PTH100 - links stay
    try:
        where = folders.locate(path)
        _must_be_file(where.stat(), most)  # some devices do things when they are opened
        # The links that were followed are gone from the path.
        descriptor = os.open(where, _FLAGS | (_NO_FOLLOW if folders.roots else 0))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unreadable(error) from error
    try:
        _must_be_file(os.fstat(descriptor), most)  # what was looked at may be another one now
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


@cache
def _pseudo_devices() -> frozenset[int]:
    """Return what /proc and /sys are mounted as: to read what looks like a file there may block."""
    found = set()
    for place in ("/proc", "/sys"):
        with suppress(OSError):
            found.add(Path(place).stat().st_dev)
    return frozenset(found - {Path("/").stat().st_dev})


def _must_be_file(status: os.stat_result, most: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise FileFault(Code.NOT_A_FILE, "is a directory", hint="name a file in it")
    if not stat.S_ISREG(status.st_mode):
        what = next((word for is_it, word in _SPECIAL if is_it(status.st_mode)), "something else")
        hint = "write its content to a file and name that"
        raise FileFault(Code.NOT_A_FILE, f"is {what}, not a regular file", hint=hint)
    if status.st_dev in _pseudo_devices():
        raise FileFault(Code.NOT_A_FILE, "is not a file on a disk, but a view of the system")
    if status.st_size > most:
        raise _too_large(status.st_size, most)


_SPECIAL: Final = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def _too_large(size: int, most: int) -> FileFault:
    message = f"has {format_size(size)}, at most {format_size(most)} are read"
    return FileFault(Code.FILE_TOO_LARGE, message)


def _unreadable(error: OSError | ValueError) -> FileFault:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        hint = "it is relative to the plan's file"
        return FileFault(Code.NO_SUCH_FILE, "does not exist", hint=hint)
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return FileFault(Code.UNREADABLE_FILE, "can't be read: its symbolic links form a circle")
    reason = getattr(error, "strerror", None) or str(error)
    return FileFault(Code.UNREADABLE_FILE, f"can't be read: {reason.lower()}")
