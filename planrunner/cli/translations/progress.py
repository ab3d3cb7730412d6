"""How far a long import is, on a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click

from planrunner.importers.sources import SourceFile

__all__ = ["telling_progress"]

_FIRST_AFTER_S: Final = 2
_CLEAR: Final = "\r\x1b[K"


@contextmanager
def telling_progress(files: Sequence[SourceFile]) -> Iterator[None]:
    """Say on a terminal how long it takes, and how much of the files is read."""
    if not sys.stderr.isatty():
        yield
        return
    is_over = threading.Event()
    teller = threading.Thread(target=_tell, args=(files, is_over), daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_over.set()
        teller.join()


def _tell(files: Sequence[SourceFile], is_over: threading.Event) -> None:
    seconds = 0
    while not is_over.wait(1):
        seconds += 1
        if seconds >= _FIRST_AFTER_S:
            click.echo(f"{_CLEAR}importing: {seconds} s{_share_read(files)}", err=True, nl=False)
    if seconds >= _FIRST_AFTER_S:
        click.echo(_CLEAR, err=True, nl=False)


def _share_read(files: Sequence[SourceFile]) -> str:
    """Return how much is read of the file that is read in pieces."""
    for one in files:
        if one.bytes_read and one.path is not None:
            return f", {one.bytes_read / max(1, one.path.stat().st_size):.0%} of {one.name} read"
    return ""
