"""Waits for the end of a process that serves: a signal, or the end of its standard input."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection
from contextlib import suppress

__all__ = ["until_told"]


async def until_told(signals: Collection[signal.Signals], *, until_input_closes: bool) -> None:
    """Return at one of the signals, or when there is nothing more to read from standard input.

    Args:
        signals: Those to listen to.
        until_input_closes: Whether the end of standard input counts.
    """
    ended = asyncio.Event()
    for number in signals:
        _listen(number, ended.set)
    if until_input_closes:
        _watch_input(ended.set)
    await ended.wait()


def _listen(number: signal.Signals, tell: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, tell)
    except NotImplementedError:  # on Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(tell))


def _watch_input(tell: Callable[[], None]) -> None:
    loop, descriptor = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        if not os.read(descriptor, 4096):
            tell()

    def read_to_end() -> None:
        while os.read(descriptor, 4096):
            pass
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell)

    try:
        # Rather than a thread: nothing is left reading when a signal comes first.
        loop.add_reader(descriptor, read)
    except (NotImplementedError, PermissionError):  # on Windows; a file, which epoll refuses
        threading.Thread(target=read_to_end, daemon=True).start()
