"""SIGTERM while no event loop listens to it: the end of a command, in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

__all__ = ["interrupted_by_sigterm"]


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does: raise, so that what was begun is cleaned up.

    An event loop that has listened to the signal leaves the system's default behind, so what
    comes after the loop needs this once more.
    """

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
