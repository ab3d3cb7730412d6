"""A program with a supervisor: started, waited for and stopped from an event loop."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from planrunner.spawn import spawn
from planrunner.supervision.supervisor import OWN_GROUP, kill_group
from planrunner.values import dataclass

__all__ = ["CanNotStart", "SupervisedJob", "SupervisedProgram", "last_lines"]

_SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")
_MOST_STOPPING_S: Final = 10.0
_LOST: Final = -1000
"""In place of an exit code: no process is left that knows it."""

_LAST_LINES: Final = 10
_LAST_BYTES: Final = 8_192


class CanNotStart(Exception):  # noqa: N818 - whoever asked for it says what that means
    """The system refuses to start a program; the text says why."""


@dataclass(frozen=True, slots=True)
class SupervisedJob:
    """What to run.

    Attributes:
        name: For readers of the process list; the command may have secrets, so it isn't there.
        log: Gets all that it prints.
        secrets: A pattern of what is masked in that by `mask`; empty for none.
        stop_signal: What asks it to stop: `TERM`.
        grace_s: How long it may take before it is killed.
        scratch: A directory to remove in the end.
        most_of_log: How many bytes it adds to the log at most; of more, the first and the last
            half are kept, and the last is written at the end. 0 for all.
        copy: Gets all of it while it prints, for whoever reads it; None for nothing.
    """

    name: str
    command: tuple[str, ...]
    directory: Path
    log: Path
    environ: Mapping[str, str]
    secrets: str = ""
    mask: str = ""
    stop_signal: str = "TERM"
    grace_s: float = 10.0
    scratch: Path | None = None
    most_of_log: int = 0
    copy: Path | None = None

    def as_json(self) -> bytes:
        """Return it as its supervisor reads it."""
        words = {
            "command": self.command,
            "cwd": str(self.directory),
            "log": str(self.log),
            "secrets": self.secrets,
            "mask": self.mask,
            "signal": self.stop_signal,
            "grace_s": self.grace_s,
            "most": self.most_of_log,
            "copy": "" if self.copy is None else str(self.copy),
            "scratch": "" if self.scratch is None else str(self.scratch),
        }
        return json.dumps(words).encode() + b"\n"


class SupervisedProgram:
    """A program that runs, in a process group of its own.

    Attributes:
        pid: Of the program, which leads its process group.
        ended: Its exit code; a negative one is a signal's number; None while it runs.
        cpu_s: Seconds of processors that it took; None while it runs, and where nobody knows.
    """

    def __init__(
        self, job: SupervisedJob, supervisor: asyncio.subprocess.Process, pid: int
    ) -> None:
        self.pid = pid
        self.ended: int | None = None
        self.cpu_s: float | None = None
        self._job = job
        self._supervisor = supervisor

    @classmethod
    async def start(cls, job: SupervisedJob) -> SupervisedProgram:
        """Start it.

        Raises:
            CanNotStart: The system refuses to.
        """
        supervisor = await spawn(
            sys.executable,
            "-I",
            "-S",
            str(_SUPERVISOR),
            job.name,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=job.environ,
            # Ctrl-C is for us; we stop it when its time has come.
            start_new_session=True,
            creationflags=OWN_GROUP,
        )
        assert supervisor.stdin is not None
        assert supervisor.stdout is not None
        with suppress(ConnectionError):  # it ended, which is seen next
            supervisor.stdin.write(job.as_json())
            await supervisor.stdin.drain()
        line = await supervisor.stdout.readline()
        said: dict[str, Any] = json.loads(line) if line else {"failed": "the supervisor ended"}
        if "started" not in said:
            await supervisor.wait()
            raise CanNotStart(said.get("failed"))
        return cls(job, supervisor, int(said["started"]))

    async def until_ended(self) -> None:
        """Return when it has ended, by itself or because it was stopped."""
        assert self._supervisor.stdout is not None
        while self.ended is None:
            line = await self._supervisor.stdout.readline()
            said = json.loads(line) if line else {"ended": _LOST}
            self.ended, self.cpu_s = said.get("ended"), said.get("cpu_s")

    def how_it_ended(self) -> str:
        """Return that in words: `ended with exit code 1`."""
        code = self.ended or 0
        if code == _LOST:
            return "lost its supervisor"
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def last_words(self) -> str:
        """Return the end of what it printed, each line on a line of its own."""
        lines = last_lines(self._job.log)
        if not lines:
            return "; it printed nothing"
        return "; it printed last:" + "".join(f"\n  {line}" for line in lines)

    def ask_to_stop(self) -> None:
        """Have the supervisor stop it."""
        assert self._supervisor.stdin is not None
        self._supervisor.stdin.close()

    def kill(self) -> None:
        """Kill it and all that it started, unless they have ended."""
        if self._supervisor.returncode is None or self._supervisor.returncode:
            kill_group(self.pid)

    async def stop(self) -> bool:
        """Stop it, and wait until it is gone; says whether the supervisor could do its work."""
        self.ask_to_stop()
        try:
            await asyncio.wait_for(self._supervisor.wait(), self._job.grace_s + _MOST_STOPPING_S)
        except TimeoutError:
            self._supervisor.kill()
            await self._supervisor.wait()
        if self._supervisor.returncode:  # somebody killed it
            kill_group(self.pid)
        return not self._supervisor.returncode


def last_lines(log: Path) -> list[str]:
    """Return the last lines of a file, none when there is no such file."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()[-_LAST_LINES:]
    return []
