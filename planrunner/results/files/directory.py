"""The directory of one run: made before any load, never over an earlier run, read again later."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Final

from planrunner.errors import CannotRun, UsageError
from planrunner.formats import METRICS_JSON
from planrunner.results.files.metrics_json import read_metrics
from planrunner.results.model import RunResult
from planrunner.units import format_count

__all__ = [
    "METRICS",
    "SAMPLES",
    "UNFINISHED",
    "make_run_directory",
    "missing_folders",
    "read_run",
    "room_held",
]

METRICS: Final = METRICS_JSON
SAMPLES: Final = "samples.bin"
UNFINISHED: Final = "unfinished.json"
"""What is known when a run starts; it is there as long as there is no metrics.json."""

_RESERVE: Final = ".reserve"
_RESERVED_BYTES: Final = 8_000_000
"""A metrics.json of two hours takes 5 MB at most."""


def missing_folders(path: Path) -> tuple[Path, ...]:
    """Return what `make_run_directory` would make around the directory, the innermost first."""
    return tuple(takewhile(lambda folder: not folder.exists(), path.parents))


def make_run_directory(path: Path) -> Path:
    """Make the directory that a run writes into, and return it.

    Raises:
        CannotRun: It can't be made or written, or has files of an earlier run.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        taken = next(path.iterdir(), None)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _unusable("make", path, error) from error
    if taken is not None:
        raise CannotRun(
            f"the report directory `{path}` is not empty",
            hint="choose another one with --out; planrunner never writes over an earlier run",
        )
    probe = path / ".planrunner"
    try:
        probe.touch()
    except OSError as error:
        raise _unusable("write into", path, error) from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return path


@contextmanager
def room_held(directory: Path) -> Iterator[Callable[[], None]]:
    """Take room for the result, and give it back: a disk that fills up meanwhile can't take it.

    It is given back at the end of the block, or when what the block gets is called.

    Raises:
        CannotRun: There is too little.
    """
    reserve = directory / _RESERVE

    def give_back() -> None:
        with suppress(OSError):
            reserve.unlink(missing_ok=True)

    try:
        _take_room(reserve)
        yield give_back
    finally:
        give_back()


def _take_room(reserve: Path) -> None:
    if not hasattr(os, "posix_fallocate"):  # macOS and Windows
        return
    try:
        with reserve.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, _RESERVED_BYTES)
    except OSError as error:
        with suppress(OSError):
            reserve.unlink(missing_ok=True)
        # Some file systems can't hold room, and a limit on the size of files is no full disk.
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _unusable("keep the result in", reserve.parent, error) from error


def read_run(path: Path) -> RunResult:
    """Read the result of a run, from its directory or metrics.json.

    Of a run that was killed, the result is what its samples say.

    Raises:
        UsageError: There is no run, or nothing of it can be understood.
    """
    if path.is_file():
        return read_metrics(path)
    if not path.is_dir():
        raise UsageError(
            f"there is no run `{path}`", hint="name the directory of a run: it has metrics.json"
        )
    if (path / METRICS).exists():
        return read_metrics(path / METRICS)
    if (path / UNFINISHED).exists():
        unfinished = read_metrics(path / UNFINISHED)
        if not (path / SAMPLES).exists():
            raise UsageError(
                f"the run in `{path}` was killed and has no samples, so nothing can be recovered",
                hint="add results.csv, parquet or jtl to `report.formats` to keep samples",
            )
        from planrunner.results.files.recover import recover  # noqa: PLC0415 - few runs are killed
        from planrunner.results.files.sample_reader import SampleReader  # noqa: PLC0415 - as above

        return recover(unfinished, SampleReader(path / SAMPLES))
    message, hint = _nothing(path)
    raise UsageError(message, hint=hint)


def _nothing(path: Path) -> tuple[str, str]:
    runs = sorted(path.glob(f"*/{METRICS}")) + sorted(path.glob(f"*/*/{METRICS}"))
    if runs:
        message = f"`{path}` is not a run but contains {format_count(len(runs), 'run')}"
        return message, f"name one, such as `{runs[-1].parent}`"
    if (path / SAMPLES).exists():
        said = f"`{path}` has samples but no {METRICS}, so it is unknown which run they belong to"
        return said, f"put {METRICS} back beside them"
    return f"`{path}` has no {METRICS}", "name the directory of a run: it has metrics.json"


def _unusable(doing: str, path: Path, error: OSError | ValueError) -> CannotRun:
    reason = getattr(error, "strerror", None) or error
    return CannotRun(
        f"cannot {doing} the report directory `{path}`: {reason}",
        hint="choose another one with --out or `report.dir`",
    )
