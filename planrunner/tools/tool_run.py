"""A tool that runs: a supervised process whose samples are read while it writes them.

It needs no plan: a job, and somebody who takes the samples.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Self

from planrunner.errors import CannotRun
from planrunner.supervision.supervised import (
    CanNotStart,
    SupervisedJob,
    SupervisedProgram,
)
from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolReader, ToolSample
from planrunner.units import NS_PER_S, format_count, format_duration
from planrunner.values import dataclass

__all__ = ["ToolEnd", "ToolRun", "ToolSetting", "shown_command"]

_LOOK_S: Final = 0.1
_PIECE: Final = 1 << 18
_AT_ONCE: Final = 4_096
_MOST_PRINTED: Final = 1 << 24
_MOST_OF_LOG: Final = 1 << 23
_LONGEST_NS: Final = 24 * 3_600 * NS_PER_S
_MOST_APART_NS: Final = 3_600 * NS_PER_S
_MOST_ALIKE: Final = 10**8
_MOST_USERS: Final = 10**9
_MOST_STATUS: Final = 10**6


@dataclass(frozen=True, slots=True)
class ToolSetting:
    """Where a tool runs.

    Attributes:
        directory: Its current one.
        log: Gets what it prints; of more than 8 MiB, the first and the last half.
        secrets: A pattern of what is masked in that by `mask`; empty for none.
        grace_ns: How long it may take to end when it is asked to.
        timeout_ns: After which it is asked to; 0 for never.
    """

    directory: Path
    log: Path
    environ: Mapping[str, str] = field(repr=False)
    secrets: str = field(default="", repr=False)
    mask: str = ""
    grace_ns: int = 30 * NS_PER_S
    timeout_ns: int = 0


@dataclass(frozen=True, slots=True)
class ToolEnd:
    """What became of it.

    Attributes:
        code: Its exit code; a negative one is the number of a signal.
        failed: What went wrong, in words; empty if nothing did.
        verdict: What its exit code says of its own rules, as a sentence; empty for nothing.
        notices: What else there is to say, each a sentence.
        took_ns: From its start to its end.
        lasted_ns: How long it says that its load lasted; 0 where it doesn't.
        cpu_s: Seconds of processors that it took; None where nobody knows.
        is_cut: Whether it was ended before it would have ended by itself.
        last_words: What it printed last, as the end of `failed`; empty where that says all.
    """

    code: int
    failed: str
    verdict: str
    notices: tuple[str, ...]
    took_ns: int
    lasted_ns: int
    cpu_s: float | None
    is_cut: bool
    last_words: str = ""

    @property
    def all_that_failed(self) -> str:
        """What went wrong, with what it printed last; empty if nothing did."""
        return f"{self.failed}{self.last_words}"


def shown_command(command: ToolCommand) -> str:
    """Return a command as a shell would take it."""
    import shlex  # noqa: PLC0415 - seldom needed

    return shlex.join(command.words)


class ToolRun:
    """One job of a tool.

    Attributes:
        users: How many the tool says it has now; None where it doesn't.
        lasted_ns: How long it says that its load lasted; 0 where it doesn't, or hasn't yet.
    """

    def __init__(self, tool: Tool, job: ToolJob, setting: ToolSetting) -> None:
        self._tool = tool
        self._job = job
        self._setting = setting
        self._program: SupervisedProgram | None = None
        self._reader: ToolReader = tool.reader(job)
        self._stop = asyncio.Event()
        self._is_timed_out = self._is_killed = False

    @property
    def users(self) -> int | None:
        users = self._reader.users
        return users if users is None or 0 <= users <= _MOST_USERS else None

    @property
    def lasted_ns(self) -> int:
        return self._reader.lasted_ns

    def wall_ns(self) -> int:
        """Return the time on the clock that samples go by."""
        return time.time_ns()

    def stop(self) -> None:
        """Ask it to end its load, and kill it if that takes too long."""
        self._stop.set()

    def kill(self) -> None:
        """Kill it and all that it started."""
        self._is_killed = True
        self._stop.set()
        if self._program is not None:
            self._program.kill()

    async def run(self, take: Callable[[Sequence[ToolSample]], None]) -> ToolEnd:
        """Run it to its end, and have its samples taken as they come.

        Raises:
            CannotRun: It can't be started.
        """

        def take_sound(samples: Sequence[ToolSample]) -> None:
            take(self._sound(samples))

        command = self._tool.command(self._job)
        self._job.directory.mkdir(parents=True, exist_ok=True)
        if command.samples is not None:
            command.samples.unlink(missing_ok=True)
        for path, text in command.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        began = time.monotonic_ns()
        # A file of its own for samples that it prints, because a log has an end.
        printed = None if command.samples else self._job.directory / "printed"
        self._reader.began_ns = self.wall_ns()
        program = self._program = await self._started(command, printed)
        try:
            with _Tail(command.samples or printed or self._setting.log) as tail:
                await self._read_until_ended(program, tail, take_sound)
                while data := tail.read():
                    take_sound(self._reader.feed(data))
                    await asyncio.sleep(0)
        finally:
            await program.stop()
        took_ns = time.monotonic_ns() - began
        self._reader.is_cut = self._is_cut or self._broke(program)
        for piece in _pieces(self._reader.end(_end_of(printed or self._setting.log))):
            take_sound(piece)
            await asyncio.sleep(0)  # whoever takes them may have much to write
        if printed is not None:
            printed.unlink(missing_ok=True)
        return self._end(program, took_ns)

    def _sound(self, samples: Sequence[ToolSample]) -> Sequence[ToolSample]:
        """Return those that can be true; the others are counted as unread."""
        began_ns, now_ns = self._reader.began_ns, self.wall_ns()
        window = began_ns - _MOST_APART_NS, now_ns + _MOST_APART_NS
        sound = [one for one in samples if _is_sound(one, window)]
        self._reader.unread += len(samples) - len(sound)
        return sound

    async def _started(self, command: ToolCommand, printed: Path | None) -> SupervisedProgram:
        setting = self._setting
        job = SupervisedJob(
            name=self._tool.name,
            command=command.words,
            directory=setting.directory,
            log=setting.log,
            environ={**setting.environ, **command.env},
            secrets=setting.secrets,
            mask=setting.mask,
            stop_signal=self._tool.stop_signal,
            grace_s=setting.grace_ns / NS_PER_S,
            most_of_log=_MOST_OF_LOG,
            copy=printed,
        )
        try:
            return await SupervisedProgram.start(job)
        except CanNotStart as refused:
            raise CannotRun(
                f"{self._tool.name} can't be started: {refused}",
                hint=f"try `{self._job.program}` by itself",
            ) from refused

    async def _read_until_ended(
        self,
        program: SupervisedProgram,
        tail: _Tail,
        take: Callable[[Sequence[ToolSample]], None],
    ) -> None:
        ended = asyncio.ensure_future(program.until_ended())
        stopped = asyncio.ensure_future(self._asked_to_stop(program))
        try:
            while not ended.done():
                data = tail.read()
                take(self._reader.feed(data) if data else ())
                if len(data) < _PIECE:
                    await asyncio.wait([ended], timeout=_LOOK_S)
                else:
                    await asyncio.sleep(0)
        finally:
            ended.cancel()
            stopped.cancel()

    async def _asked_to_stop(self, program: SupervisedProgram) -> None:
        timeout_s = self._setting.timeout_ns / NS_PER_S or None
        try:
            async with asyncio.timeout(timeout_s):
                await self._stop.wait()
        except TimeoutError:
            self._is_timed_out = True
        if self._is_killed:
            program.kill()
        program.ask_to_stop()

    def _end(self, program: SupervisedProgram, took_ns: int) -> ToolEnd:
        return ToolEnd(
            code=program.ended or 0,
            failed=self._failed(program),
            verdict=self._verdict(program),
            notices=tuple(self._notices()),
            took_ns=took_ns,
            lasted_ns=self._reader.lasted_ns,
            cpu_s=program.cpu_s,
            is_cut=self._is_cut,
            last_words=program.last_words() if self._has_failed(program) else "",
        )

    @property
    def _is_cut(self) -> bool:
        return self._stop.is_set() or self._is_timed_out

    def _failed(self, program: SupervisedProgram) -> str:
        name = self._tool.name
        if self._is_timed_out:
            lasted = format_duration(self._setting.timeout_ns)
            return f"{name} was stopped after {lasted}, its `timeout`: raise that, or do less"
        return f"{name} {program.how_it_ended()}" if self._has_failed(program) else ""

    def _has_failed(self, program: SupervisedProgram) -> bool:
        return self._broke(program) and not self._is_cut

    def _broke(self, program: SupervisedProgram) -> bool:
        """Say whether it ended with an error, and not with a verdict of its own."""
        return bool(program.ended) and not self._verdict(program)

    def _verdict(self, program: SupervisedProgram) -> str:
        code = program.ended or 0
        if code <= 0 or not (verdict := self._reader.verdict(code)):  # a signal is no verdict
            return ""
        return f"{self._tool.name} {program.how_it_ended()}: {verdict}"

    def _notices(self) -> Iterator[str]:
        name = self._tool.name
        for words in self._reader.notices():
            yield f"{name}: {words}"
        if lines := self._reader.unread:
            many = format_count(lines, "line")
            yield f"{name} wrote {many} that can't be read as samples, so requests may be missing"


def _is_sound(one: ToolSample, window: tuple[int, int]) -> bool:
    if one.start_ns and not window[0] <= one.start_ns <= window[1]:
        return False
    if not 0 <= (one.status or 0) <= _MOST_STATUS:
        return False
    numbers = (one.took_ns, one.service_ns, one.received, one.sent)
    return 0 < one.count <= _MOST_ALIKE and all(
        number is None or 0 <= number <= _LONGEST_NS for number in numbers
    )


def _pieces(samples: Iterable[ToolSample]) -> Iterator[Sequence[ToolSample]]:
    """Yield samples a few thousand at a time."""
    left = iter(samples)
    while piece := list(islice(left, _AT_ONCE)):
        yield piece


class _Tail:
    """A file that grows; it may not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def read(self) -> bytes:
        """Return what has come since the last time, or some of it."""
        if self._file is None:
            with suppress(FileNotFoundError):
                self._file = self._path.open("rb")
        return b"" if self._file is None else self._file.read(_PIECE)


def _end_of(printed: Path) -> str:
    try:
        with printed.open("rb") as file:
            file.seek(max(0, printed.stat().st_size - _MOST_PRINTED))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
