"""Commands that steps run: without a shell, in a process group of their own, never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from planrunner.engine.steps.step_failures import StepFailures
from planrunner.engine.users.user_context import Actor, Step
from planrunner.graph.run_graph import ExecNode
from planrunner.graph.steps import Word
from planrunner.language.expressions.values import EvaluationError, to_text
from planrunner.protocols.base import FailureKind
from planrunner.target.spawn import spawn
from planrunner.units import NS_PER_S, format_duration

__all__ = ["bind_exec"]

_MOST_OUTPUT: Final = 1_000_000
_CHUNK: Final = 65_536


class _CommandFailedError(Exception):
    """The command didn't end well; says so in words."""


def bind_exec(node: ExecNode, failures: StepFailures) -> Step:
    words, target = node.words, node.target

    async def run(user: Actor) -> None:
        arguments = [_argument(user, word, failures) for word in words]
        began_ns = user.clock.now_ns()
        try:
            output = await _run(arguments, node.directory, node.timeout_ns)
        except _CommandFailedError as failed:
            kind = FailureKind.ERROR
            raise failures.failed(
                user, f"`{node.shown}` {failed}", kind=kind, began_ns=began_ns
            ) from failed
        user.moment_ns = user.clock.now_ns()
        if target:
            user.scope[target] = output

    return run


def _argument(user: Actor, word: Word, failures: StepFailures) -> str:
    pieces = [part if isinstance(part, str) else failures.evaluated(user, part) for part in word]
    try:
        text = "".join(map(to_text, pieces))
    except EvaluationError as error:
        raise failures.failed(user, str(error)) from error
    if "\0" in text:
        raise failures.failed(user, "an argument of a command contains a null byte")
    try:
        os.fsencode(text)
    except UnicodeError as error:
        raise failures.failed(user, "an argument of a command contains half a character") from error
    return text


async def _run(arguments: Sequence[str], directory: Path, timeout_ns: int) -> str:
    """Return what the command prints, without its last newline."""
    try:
        process = await spawn(
            *arguments,
            cwd=directory,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise _CommandFailedError(f"can't be run: {error.strerror}") from error
    try:
        async with asyncio.timeout(timeout_ns / NS_PER_S):
            output, complaints = await _read(process)
            status = await process.wait()
    except TimeoutError:
        limit = format_duration(timeout_ns)
        raise _CommandFailedError(f"took longer than {limit}") from None
    finally:
        await _end(process)
    if status:
        last = complaints.decode(errors="replace").strip().rpartition("\n")[2]
        raise _CommandFailedError(f"exited with status {status}{f': {last}' if last else ''}")
    return output.decode(errors="replace").removesuffix("\n").removesuffix("\r")


async def _read(process: Process) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.TaskGroup() as group:
        output = group.create_task(_read_all(process.stdout))
        complaints = group.create_task(_read_last(process.stderr))
    if len(output.result()) > _MOST_OUTPUT:
        raise _CommandFailedError("printed more than 1 MB")
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
