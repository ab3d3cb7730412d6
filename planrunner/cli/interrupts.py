"""Signals of the process: they interrupt a command, or ask its run to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from planrunner.engine.stop import Stop

__all__ = ["interrupted_by_sigterm", "stop_on_signals"]


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does: raise, so that what was begun is cleaned up."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def stop_on_signals(stop: Stop) -> None:
    """Let Ctrl-C and SIGTERM ask for the end as long as the running event loop does."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        reason = f"interrupted by {signal.Signals(number).name}"
        with suppress(NotImplementedError):  # on Windows the process just ends
            loop.add_signal_handler(number, stop.request, reason)
