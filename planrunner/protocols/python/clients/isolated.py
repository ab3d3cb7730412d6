"""A process of its own for each user, that calls functions: what `isolate: process` means."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from planrunner.protocols.python.clients.call import (
    BoundFunction,
    Done,
    TimeUpError,
    Within,
    raised,
)
from planrunner.spawn import spawn

__all__ = ["FRAME", "IsolatedProcess", "child_command"]

FRAME: Final = 4
"""Bytes of a message's length, before it."""


def child_command() -> tuple[str, ...]:
    """Return the command that starts the process; it imports from where this one does."""
    module = "planrunner.protocols.python.clients.child"
    code = f"import sys; sys.path[:] = {sys.path!r}; from {module} import main; sys.exit(main())"
    return (sys.executable, "-P", "-c", code)


class IsolatedProcess:
    """Starts when it is first needed, and again when it has died."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._process: Process | None = None
        self._loaded: set[str] = set()

    async def call(self, bound: BoundFunction, given: dict[str, Any], calls: int) -> Done:
        """Call a function so many times, one after the other.

        The process is up, and the function imported, before the time counts. It is killed when a
        call takes longer than it may.
        """
        done = Done(self._now())
        try:
            if wrong := await self._prepared(bound):
                done.error = wrong
                return done
            message = self._message(bound, given, calls)
        except _DiedError as died:
            done.error = f"its process {died}"
            return done
        except Exception as error:  # noqa: BLE001 - what an argument does when it is pickled
            done.error = f"an argument can't be sent to its process: {error}"
            return done
        done.asked_ns = self._now()
        try:
            async with Within(bound.timeout_ns):
                told, done.value, began_ns, ended_ns, *rest = await self._answer(message)
        except _DiedError as died:
            done.ended_ns = self._now()
            done.error = f"its process {died}"
            return done
        except BaseException as error:
            await self.close()  # whatever it does, nobody waits for it any more
            if not isinstance(error, Exception):
                raise
            done.error = error if isinstance(error, TimeUpError) else _unread(error)
            return done
        done.cpu_ns, done.peak_rss, done.collections = rest
        done.error = told or None
        self._place(done, began_ns, ended_ns)
        return done

    def _place(self, done: Done, began_ns: int, ended_ns: int) -> None:
        """Take times of the process's clock, which is that of the host but on strange systems."""
        host_ns = time.perf_counter_ns()
        received_ns = self._now()
        began_ns += received_ns - host_ns  # the run may go by the time of another host
        ended_ns += received_ns - host_ns
        if not done.asked_ns <= began_ns <= ended_ns <= received_ns:
            began_ns, ended_ns = received_ns - (ended_ns - began_ns), received_ns
        done.began_ns, done.ended_ns = began_ns, ended_ns

    async def _prepared(self, bound: BoundFunction) -> str:
        """Have the process up and the function imported; returns what is wrong, in words."""
        if self._process is None or self._process.returncode is not None:
            await self.close()
            command, session = child_command(), sys.platform != "win32"
            self._process = await spawn(
                *command, stdin=PIPE, stdout=PIPE, start_new_session=session
            )
        if bound.name not in self._loaded:
            wrong: str = (await self._answer(self._message(bound, None, 0)))[0]
            if wrong:
                return wrong
            self._loaded.add(bound.name)
        return ""

    def _message(self, bound: BoundFunction, given: dict[str, Any] | None, calls: int) -> bytes:
        operation = bound.operation.without_arguments()
        message = pickle.dumps((operation, given, calls))
        return len(message).to_bytes(FRAME, "big") + message

    async def _answer(self, message: bytes) -> tuple[Any, ...]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(message)
            await process.stdin.drain()
            size = int.from_bytes(await process.stdout.readexactly(FRAME), "big")
            answer: tuple[Any, ...] = pickle.loads(await process.stdout.readexactly(size))
        except (OSError, EOFError) as error:
            status = await process.wait()
            raise _DiedError(
                f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            ) from error
        return answer

    async def close(self) -> None:
        """Kill it, with all that it started."""
        process, self._process = self._process, None
        self._loaded.clear()
        if process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode is None:
            await asyncio.shield(process.wait())


def _unread(error: Exception) -> str:
    """Say of an answer that can't be read, which runs code of the value's author."""
    return f"what it returned can't be read here: {raised('pickle', error)}"


class _DiedError(Exception):
    """The process has gone; says how."""
