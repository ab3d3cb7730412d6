"""A process beside a run that ends it when it no longer listens.

Code that spins in C, such as a hook that adds up an endless iterator, keeps Python from running any
signal handler. The system still writes the number of each signal into the wakeup descriptor. This
process reads it, passes it on, and kills the run some time after the second one.

It holds nothing of the run but two pipes, and ends with it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Final, NoReturn

__all__ = ["LastResort", "start_last_resort"]

_KILL_S: Final = 0.9
"""After the second signal; what listens has ended by itself earlier."""


class LastResort:
    """The two ends that the run has of it.

    Attributes:
        heard: Where the system writes the number of a signal.
        passed_on: Where these numbers come out again, for the event loop.
    """

    def __init__(self, heard: int, passed_on: int) -> None:
        self.heard = heard
        self.passed_on = passed_on

    def listen(self) -> None:
        """Let it hear the signals of this process; event loops take that away."""
        signal.set_wakeup_fd(self.heard, warn_on_full_buffer=False)

    def dismiss(self) -> None:
        """Let it end."""
        signal.set_wakeup_fd(-1)
        os.close(self.heard)

    def drain(self) -> None:
        """Take what was passed on: that it arrived has made the interpreter run its handlers."""
        with suppress(BlockingIOError):
            os.read(self.passed_on, 4096)


def start_last_resort(numbers: Collection[signal.Signals]) -> LastResort | None:
    """Start it for the calling process, before that has threads; None where it can't be.

    It is no child of the run's, so nothing that looks at these meets it.
    """
    if sys.platform == "win32":
        return None
    pid = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)  # as they stay for it
    try:
        heard, to_hear = os.pipe()
        passed_on, to_pass_on = os.pipe()
        for descriptor in (to_hear, passed_on, to_pass_on):
            os.set_blocking(descriptor, False)
        if (child := os.fork()) == 0:
            os.close(to_hear)
            os.close(passed_on)
            _become(pid, numbers, heard, to_pass_on)
        os.waitpid(child, 0)
        os.close(heard)
        os.close(to_pass_on)
    except OSError:  # no more processes or descriptors: the run goes on without
        return None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return LastResort(to_hear, passed_on)


def _become(pid: int, numbers: Collection[signal.Signals], heard: int, passing_on: int) -> NoReturn:
    """Be the process that watches, out of reach of the run's terminal, and never return."""
    try:
        os.setsid()
        os.chdir("/")  # the run's directory may be moved or unmounted
        if os.fork() == 0:
            os.close(0)
            os.close(1)
            _watch(pid, numbers, heard, passing_on)
    finally:
        os._exit(0)


def _watch(pid: int, numbers: Collection[signal.Signals], heard: int, passing_on: int) -> None:
    poll = select.poll()
    poll.register(heard, select.POLLIN)
    count, end_s = 0, float("inf")
    while True:
        left_s = max(0.0, end_s - time.monotonic())
        if not poll.poll(None if count < 2 else left_s * 1000):
            _kill(pid)
            return
        data = os.read(heard, 4096)
        if not data:  # it has ended
            return
        with suppress(OSError):
            os.write(passing_on, data)
        count += sum(number in numbers for number in data)
        if count >= 2:
            end_s = min(end_s, time.monotonic() + _KILL_S)


def _kill(pid: int) -> None:
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)
        os.write(2, b"the run did not listen to signals and was killed\n")
