"""The files of plans on one host, by their content: each is sent there once.

```
FOLDER/                      readable by its owner only
├── objects/HASH             whole files, for later runs too
├── partial/HASH-0           what has come of one
└── runs/XXXX/               of one store, as long as it is open
    ├── lock                 held by its process: whoever opens a store removes what nobody holds
    ├── held/KEY             links to objects, which nobody removes meanwhile; secrets themselves
    └── tree-XXXX/srv/…     the files of a plan, where their paths say
```
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from threading import Lock
from typing import Final

from planrunner.cluster.files.arriving import ArrivingFile, lock
from planrunner.cluster.files.chunks import LaidFile, is_key, is_secret, unpack
from planrunner.errors import CannotRun
from planrunner.units import NS_PER_S, format_size

__all__ = ["HostStore", "cache_folder"]

_MOST_KEPT: Final = 20_000_000_000
"""Bytes of files that no run uses."""

_KEPT_NS: Final = 30 * 24 * 3_600 * NS_PER_S
"""How long such a file is kept."""

_SPARED: Final = 256_000_000
"""Bytes of the disk that are left for others."""

_STAMP: Final = 1_000_000_000
"""When every object was written, in seconds: one with another time was written to since."""


def cache_folder() -> Path:
    """Return where this user's files of plans are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    try:
        Path(home).mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(home, os.W_OK):
            return Path(home) / "planrunner" / "files"
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        pass
    return Path(gettempdir()) / f"planrunner-files-{os.getuid()}"


class HostStore:
    """The store of one host, open until `close`. Its methods may be called in threads.

    Args:
        folder: Where it is; None: in the user's cache.
        most_kept: Bytes of files that no run uses.

    Raises:
        CannotRun: It can't be made there, or isn't private.
    """

    def __init__(self, folder: Path | None = None, *, most_kept: int = _MOST_KEPT) -> None:
        self._folder = Path(os.path.realpath(folder or cache_folder()))
        self._objects, self._partial = self._folder / "objects", self._folder / "partial"
        self._most_kept = most_kept
        self._arriving: dict[str, ArrivingFile] = {}
        self._guard = Lock()
        try:
            _make_private(self._folder)
            runs = self._folder / "runs"
            for path in (self._objects, self._partial, runs):
                path.mkdir(mode=0o700, exist_ok=True)
            with (self._folder / "lock").open("w+b") as door:
                lock(door, waits=True)  # for as long as somebody else sweeps
                _sweep(runs)
                self._run = Path(mkdtemp(dir=runs))
                self._lock = (self._run / "lock").open("w+b")
                lock(self._lock)
            self._held = self._run / "held"
            self._held.mkdir(mode=0o700)
            self._trim(self._most_kept)
        except OSError as error:
            raise _unusable(self._folder, error) from error

    def lacks(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """Return which files must be sent, and from which byte on.

        The others are kept for this run.

        Args:
            sizes: Bytes of each file, by its key.

        Raises:
            CannotRun: There is no room for them.
        """
        with self._guard, _in_words(self._folder):
            missing = {key: size for key, size in sizes.items() if not self._has(key, size)}
            for key, size in missing.items():
                if key not in self._arriving:
                    self._arriving[key] = ArrivingFile(self._place_of(key), key, size)
            have = {key: self._arriving[key].have for key in missing}
            self._make_room(sum(missing.values()) - sum(have.values()))
            for key, size in missing.items():
                if have[key] == size:  # an empty one, or one that was not moved to its place
                    self._finish(key)
            return {key: have[key] for key in missing if key in self._arriving}

    def put(self, key: str, offset: int, data: bytes) -> int:
        """Take a piece of a file that is lacking; twice does no harm, nor does another order.

        Args:
            key: Of the file.
            offset: Where the piece belongs, in bytes.
            data: The piece, packed.

        Returns:
            How many bytes of the file are there, without gaps.

        Raises:
            ValueError: It isn't asked for, or broken.
            CannotRun: The disk is full, or the whole file isn't what was to be sent.
        """
        piece = unpack(data)
        with self._guard, _in_words(self._folder):
            arriving = self._arriving.get(key)
            if arriving is None:
                if not is_key(key) or not (self._held / key).exists():
                    raise ValueError(f"`{key}` was not asked for")
                return (self._held / key).stat().st_size  # its last piece came twice
            arriving.put(offset, piece)
            if arriving.is_complete:
                self._finish(key)
            return arriving.have

    def lay_out(self, files: Sequence[LaidFile], folders: Iterable[str]) -> Path:
        """Put files where their paths say, below a new folder, and return that.

        They are to be read only: another run may read the same ones.

        Args:
            files: Those of one plan; the store has their contents.
            folders: Others that have to be there, by their whole paths.

        Raises:
            CannotRun: The system refuses.
        """
        with self._guard, _in_words(self._folder):
            tree = Path(mkdtemp(prefix="tree-", dir=self._run))
            for folder in folders:
                _below(tree, folder).mkdir(parents=True, exist_ok=True)
            for file in files:
                place = _below(tree, file.path)
                place.parent.mkdir(parents=True, exist_ok=True)
                if file.is_executable:
                    shutil.copyfile(self._held / file.key, place)
                    place.chmod(0o500)
                else:
                    _link(self._held / file.key, place)
            return tree

    def close(self) -> None:
        """Remove what is of this run: its tree, and secrets."""
        with self._guard:
            for arriving in self._arriving.values():
                arriving.close()
            self._arriving.clear()
            with suppress(OSError):
                shutil.rmtree(self._held, ignore_errors=True)
                self._trim(self._most_kept)
            shutil.rmtree(self._run, ignore_errors=True)
            self._lock.close()

    def _place_of(self, key: str) -> Path:
        if not is_key(key):
            raise ValueError(f"`{key}` is not the key of a file")
        return self._run if is_secret(key) else self._partial

    def _has(self, key: str, size: int) -> bool:
        """Whether the store has a file, which nobody removes then."""
        held = self._held / key
        if is_key(key) and held.exists():
            return True
        if is_secret(key):
            return False
        found = self._objects / key
        try:
            status = found.stat()
            if status.st_size != size or status.st_mtime != _STAMP:
                found.unlink()
                return False
            _link(found, held)
        except FileNotFoundError:
            return False
        return True

    def _finish(self, key: str) -> None:
        arriving, held = self._arriving.pop(key), self._held / key
        if is_secret(key):
            arriving.finish(held)
            return
        place = self._objects / key
        arriving.finish(place)
        os.utime(place, (_STAMP, _STAMP))
        _link(place, held)

    def _make_room(self, size: int) -> None:
        free = shutil.disk_usage(self._folder).free - _SPARED
        if size > free:
            self._trim(0)
            free = shutil.disk_usage(self._folder).free - _SPARED
        if size > free:
            raise CannotRun(
                f"`{self._folder}` has room for {format_size(max(free, 0))}, and files of the plan "
                f"need {format_size(size)}",
                hint="make room there, or let XDG_CACHE_HOME name a folder on another disk there",
            )

    def _trim(self, most: int) -> None:
        """Remove what is too old, and what was not used for longest while there is too much."""
        unused, now_ns = [], self._run.stat().st_ctime_ns
        for path in (*self._objects.iterdir(), *self._partial.iterdir()):
            with suppress(FileNotFoundError):
                status = path.stat()
                if status.st_nlink == 1 and not _is_in_use(path):
                    # A link, when it is made or removed, changes the time of the inode.
                    unused.append((status.st_ctime_ns, status.st_size, path))
        kept = sum(size for _, size, _ in unused)
        for used_ns, size, path in sorted(unused):
            if kept <= most and used_ns > now_ns - _KEPT_NS:
                return
            path.unlink(missing_ok=True)
            kept -= size


def _make_private(folder: Path) -> None:
    """Make a folder that is this user's alone, or see that it is."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not folder.is_dir() or folder.is_symlink() or status.st_uid != os.getuid():
        raise CannotRun(
            f"`{folder}` is not a folder of this user's own",
            hint="remove it, or let XDG_CACHE_HOME name another folder there",
        )
    if status.st_mode & 0o077:
        folder.chmod(0o700)


def _sweep(runs: Path) -> None:
    """Remove the runs of processes that have ended without a word."""
    for run in runs.iterdir():
        with suppress(OSError), (run / "lock").open("a+b") as file:
            if lock(file):
                shutil.rmtree(run, ignore_errors=True)


def _is_in_use(path: Path) -> bool:
    """Whether a process is writing a part of a file."""
    if path.parent.name != "partial":
        return False
    with path.open("r+b") as file:
        return not lock(file)


def _link(file: Path, place: Path) -> None:
    try:
        os.link(file, place)
    except FileNotFoundError:
        raise
    except OSError:  # such a disk has no links
        shutil.copyfile(file, place)
        place.chmod(0o400)


def _below(tree: Path, path: str) -> Path:
    """Return where a whole path lies below a folder, and nowhere else."""
    if not path.startswith("/") or ".." in Path(path).parts:
        raise ValueError(f"`{path}` is not a whole path")
    return tree / path.lstrip("/")


@contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    """Turn what the system refuses into words."""
    try:
        yield
    except OSError as error:
        raise _unusable(folder, error) from error


def _unusable(folder: Path, error: OSError) -> CannotRun:
    return CannotRun(
        f"files of the plan can't be kept in `{folder}`: {error.strerror or error}",
        hint="make room there, or let XDG_CACHE_HOME name a folder on a local disk",
    )
