"""Commands that are run: without a shell, in a process group of their own, never left behind.

A thread starts the command and waits for its end, so that neither is late where the event loop is:
it notes the time just before and just after, and nothing else happens in it. What the command
prints is read beside it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.exec.command import CommandEnd, CommandFailedError
from planrunner.units import NS_PER_S, format_duration

__all__ = ["run_command", "time_of"]

_MOST_OUTPUT: Final = 1_000_000
_CHUNK: Final = 65_536
_LAST_OUTPUT_S: Final = 0.5
"""How long what was printed may take to arrive once nobody is left who could print."""


async def run_command(
    arguments: Sequence[str],
    *,
    now: Callable[[], int],
    directory: Path,
    timeout_ns: int,
    environment: Mapping[str, str] | None = None,
) -> CommandEnd:
    """Run a command to its end.

    Raises:
        CommandFailedError: It can't be run, took too long, or printed too much.
    """
    run = _CommandRun(arguments, now, directory, environment)
    ended = run.start()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_ns / NS_PER_S):
                await asyncio.shield(ended)
    finally:
        run.kill()
        await ended
    end = run.result()
    # The loop may have noticed late that the time was up.
    if run.was_killed or end.ended_ns - end.began_ns > timeout_ns:
        limit = format_duration(timeout_ns)
        raise CommandFailedError(f"took longer than {limit}", FailureKind.TIMEOUT)
    return end


def time_of(arguments: Sequence[str], *, now: Callable[[], int], directory: Path) -> int:
    """Run a command in this thread, in the way of `run_command`, and return what it took.

    Raises:
        OSError: It can't be run.
    """
    run = _CommandRun(arguments, now, directory, None)
    run.take_time()
    end = run.result()
    return end.ended_ns - end.began_ns


class _CommandRun:
    """One command, and the thread that waits for it.

    Attributes:
        was_killed: It hadn't ended by itself.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        now: Callable[[], int],
        directory: Path,
        environment: Mapping[str, str] | None,
    ) -> None:
        self._arguments, self._directory, self._environment = arguments, directory, environment
        self._now = now
        self._process: subprocess.Popen[bytes] | None = None
        self._has_ended = self.was_killed = False
        self._error: Exception | None = None
        self._began_ns = self._ended_ns = 0
        self._output = _Stream(_MOST_OUTPUT + 1, keeps_end=False)
        self._complaints = _Stream(_CHUNK, keeps_end=True)

    def start(self) -> Future[None]:
        """Start the command; returns what is done when it has ended."""
        loop = asyncio.get_running_loop()
        told: Future[None] = loop.create_future()
        Thread(target=self._run, args=(loop, told), name="planrunner exec", daemon=True).start()
        return told

    def kill(self) -> None:
        """Kill it and all that it started, now or as soon as it is there, unless it has ended."""
        if not self._has_ended:
            self.was_killed = True
            if self._process is not None:
                _kill_group(self._process)

    def result(self) -> CommandEnd:
        if self._error is not None:
            words = getattr(self._error, "strerror", None) or str(self._error)
            raise CommandFailedError(f"can't be run: {words}") from self._error
        assert self._process is not None
        if len(self._output.kept) > _MOST_OUTPUT:
            raise CommandFailedError("printed more than 1 MB")
        return CommandEnd(
            self._process.returncode,
            bytes(self._output.kept),
            bytes(self._complaints.kept),
            began_ns=self._began_ns,
            ended_ns=self._ended_ns,
        )

    def _run(self, loop: AbstractEventLoop, told: Future[None]) -> None:
        try:
            self.take_time()
        except Exception as error:  # noqa: BLE001 - the boundary: told where it is waited for
            self._error = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell, told)

    def take_time(self) -> None:
        """Start it and wait for its end, and note both."""
        with self._output, self._complaints:
            self._began_ns = self._now()
            process = self._process = subprocess.Popen(
                self._arguments,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=self._output.write_end,
                stderr=self._complaints.write_end,
                start_new_session=True,
                env=self._environment,
            )
            if self.was_killed:
                _kill_group(process)
            _wait(process)
            self._ended_ns = self._now()
            self._has_ended = True
            _kill_group(process)  # what it left behind, while its number is still its own
            process.wait()


def _tell(told: Future[None]) -> None:
    if not told.done():
        told.set_result(None)


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait until it has ended, leaving its status for later where the system can."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


class _Stream:
    """A pipe that a command prints to, and the thread that reads it.

    Attributes:
        write_end: The command's.
        kept: The beginning of what it printed, or the end.
    """

    def __init__(self, most: int, *, keeps_end: bool) -> None:
        self.kept = bytearray()
        self._most, self._keeps_end = most, keeps_end

    def __enter__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        self._reader = Thread(target=self._read, name="planrunner exec output", daemon=True)
        self._reader.start()

    def __exit__(self, *_: object) -> None:
        """Read the rest, unless somebody has left the group and keeps the pipe open."""
        os.close(self.write_end)
        self._reader.join(_LAST_OUTPUT_S)

    def _read(self) -> None:
        """Read to the end; what is too much is thrown away."""
        kept = self.kept
        while part := os.read(self._read_end, _CHUNK):
            if self._keeps_end:
                kept += part
                del kept[: -self._most]
            elif len(kept) < self._most:
                kept += part
        os.close(self._read_end)
