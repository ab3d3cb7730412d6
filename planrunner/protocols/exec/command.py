"""Commands that are run: without a shell, in a process group of their own, never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from planrunner.language.expressions.values import EvaluationError, to_text
from planrunner.protocols.base import FailureKind, Scope
from planrunner.protocols.command_words import Word
from planrunner.protocols.exec.operation import ExecOperation
from planrunner.spawn import spawn
from planrunner.units import NS_PER_S, format_duration
from planrunner.values import dataclass

__all__ = ["CommandEnd", "CommandFailedError", "command_line", "run_command", "said"]

_MOST_OUTPUT: Final = 1_000_000
_CHUNK: Final = 65_536
_SIGNALLED: Final = 128
"""What shells add to the number of a signal to make a status of it."""


class CommandFailedError(Exception):
    """The command didn't come to an end by itself; says so in words.

    Attributes:
        kind: `timeout` where it took too long, else `error`.
    """

    def __init__(self, words: str, kind: FailureKind = FailureKind.ERROR) -> None:
        super().__init__(words)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """How a command ended.

    Attributes:
        status: Its exit code; 128 and the signal's number where one ended it.
        output: What it printed, and `complaints` to the standard error, of which the end is kept.
    """

    status: int
    output: bytes
    complaints: bytes

    @property
    def words(self) -> str:
        """Why its status is a failure."""
        last = self.complaints.decode(errors="replace").strip().rpartition("\n")[2]
        return f"exited with status {self.status}{f': {last}' if last else ''}"


def command_line(
    operation: ExecOperation, scope: Scope
) -> tuple[list[str], Mapping[str, str] | None]:
    """Return program and arguments for a user, and the environment if it isn't that of here.

    Raises:
        EvaluationError: An expression in it has no value, or one that no command can be given.
    """
    arguments = [_argument(word, scope) for word in operation.words]
    if not operation.environment:
        return arguments, None
    own = {key: _checked(to_text(value(scope))) for key, value in operation.environment}
    return arguments, {**os.environ, **own}


def _argument(word: Word, scope: Scope) -> str:
    pieces = (part if isinstance(part, str) else to_text(part(scope)) for part in word)
    return _checked("".join(pieces))


def _checked(text: str) -> str:
    if "\0" in text:
        raise EvaluationError("an argument of a command contains a null byte")
    try:
        os.fsencode(text)
    except UnicodeError as error:
        raise EvaluationError("an argument of a command contains half a character") from error
    return text


def said(output: bytes) -> str:
    """Return what a command printed, without its last newline."""
    return output.decode(errors="replace").removesuffix("\n").removesuffix("\r")


async def run_command(
    arguments: Sequence[str],
    *,
    directory: Path,
    timeout_ns: int,
    environment: Mapping[str, str] | None = None,
) -> CommandEnd:
    """Run a command to its end.

    Raises:
        CommandFailedError: It can't be run, took too long, or printed too much.
    """
    try:
        process = await spawn(
            *arguments,
            cwd=directory,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
            env=environment,
        )
    except OSError as error:
        raise CommandFailedError(f"can't be run: {error.strerror}") from error
    try:
        async with asyncio.timeout(timeout_ns / NS_PER_S):
            output, complaints = await _read(process)
            status = await process.wait()
    except TimeoutError:
        limit = format_duration(timeout_ns)
        raise CommandFailedError(f"took longer than {limit}", FailureKind.TIMEOUT) from None
    finally:
        await _end(process)
    return CommandEnd(status if status >= 0 else _SIGNALLED - status, output, complaints)


async def _read(process: Process) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.TaskGroup() as group:
        output = group.create_task(_read_all(process.stdout))
        complaints = group.create_task(_read_last(process.stderr))
    if len(output.result()) > _MOST_OUTPUT:
        raise CommandFailedError("printed more than 1 MB")
    return output.result(), complaints.result()


async def _read_all(stream: asyncio.StreamReader) -> bytes:
    """Return what is read up to the limit; what comes after that is thrown away."""
    parts: list[bytes] = []
    size = 0
    while part := await stream.read(_CHUNK):
        if size <= _MOST_OUTPUT:
            parts.append(part)
            size += len(part)
    return b"".join(parts)


async def _read_last(stream: asyncio.StreamReader) -> bytes:
    last = b""
    while part := await stream.read(_CHUNK):
        last = (last + part)[-_CHUNK:]
    return last


async def _end(process: Process) -> None:
    """Kill the process and all that it started, unless they have ended."""
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is None:
        await asyncio.shield(process.wait())
