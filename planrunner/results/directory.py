"""The directory of one run: made before any load, never over an earlier run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from planrunner.errors import CannotRun

__all__ = ["make_run_directory"]


def make_run_directory(path: Path) -> Path:
    """Make the directory that a run writes into, and return it.

    Raises:
        CannotRun: It can't be made or written, or has files of an earlier run.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        taken = next(path.iterdir(), None)
    except OSError as error:
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


def _unusable(doing: str, path: Path, error: OSError) -> CannotRun:
    return CannotRun(
        f"cannot {doing} the report directory `{path}`: {error.strerror or error}",
        hint="choose another one with --out or `report.dir`",
    )
