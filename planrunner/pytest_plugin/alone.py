"""One measurement at a time: processes of one test session wait for each other."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

__all__ = ["alone"]


@contextmanager
def alone(config: pytest.Config) -> Iterator[None]:
    """Keep the other workers of xdist from measuring; without workers there is nothing to do.

    The operating system takes the lock back from a process that dies.
    """
    worker = getattr(config, "workerinput", None)
    if worker is None:
        yield
        return
    path = Path(tempfile.gettempdir()) / f"planrunner-{worker['testrunuid']}.lock"
    with path.open("a+b") as file:
        _lock(file)
        yield
        # closing the file unlocks it


if sys.platform == "win32":

    def _lock(file: IO[bytes]) -> None:
        import msvcrt  # noqa: PLC0415 - there is none elsewhere, where modules are only looked at
        from time import sleep  # noqa: PLC0415 - nothing else sleeps

        file.seek(0)
        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                sleep(0.1)
            else:
                return

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
