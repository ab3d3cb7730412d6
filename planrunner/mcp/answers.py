"""What a command answers: run in a process of its own, its JSON read."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from anyio import CancelScope

from planrunner.spawn import command_of, spawn
from planrunner.values import dataclass

__all__ = ["CommandAnswer", "answer_of", "document"]

_GRACE_S: Final = 5.0
"""How long a command may take to end when nobody waits for it any more."""

_MOST_MESSAGES: Final = 20_000
"""Characters of what a command says on stderr."""

_LINE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What a command printed, and the code that it ended with."""

    exit_code: int
    out: str
    messages: str


async def answer_of(
    arguments: Sequence[str],
    folder: Path,
    tell: Callable[[str], Awaitable[None]] | None = None,
) -> CommandAnswer:
    """Run a command to its end; one that is no longer waited for is interrupted.

    Args:
        arguments: The command and what it gets.
        folder: Its current directory.
        tell: Gets each line of stderr as it comes.
    """
    process = await spawn(
        *command_of("planrunner.cli.main"),
        *arguments,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "NO_COLOR": "1"},
        limit=_LINE,
    )
    try:
        return await _listen(process, tell)
    finally:
        if process.returncode is None:
            with CancelScope(shield=True):
                await _end(process)


async def _listen(process: Process, tell: Callable[[str], Awaitable[None]] | None) -> CommandAnswer:
    assert process.stdout is not None
    assert process.stderr is not None
    reading = asyncio.create_task(process.stdout.read())
    said = ""
    async for line in process.stderr:
        text = line.decode(errors="replace")
        if len(said) < _MOST_MESSAGES:
            said += text
        if tell is not None and text.strip():
            await tell(text.strip())
    out = await reading
    return CommandAnswer(await process.wait(), out.decode(errors="replace"), said.strip())


async def _end(process: Process) -> None:
    """End a command as Ctrl-C does, as a second one does, and at last with force."""
    for how in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            process.send_signal(how)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE_S)
            return


def document(out: str) -> Any:  # noqa: ANN401 - JSON
    """Return what is printed as JSON: one document, or one in each line; None where nothing is."""
    if not out.strip():
        return None
    try:
        return json.loads(out)
    except ValueError:
        return [json.loads(line) for line in out.splitlines() if line.strip()]
