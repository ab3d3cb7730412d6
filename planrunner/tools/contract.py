"""What planrunner has to know of a load tool: one record, and what it delivers.

Built-in tools and those of other packages are made of the same record. A built-in one is found in
its module in `planrunner/tools/known`, another package's through the entry-point group
`planrunner.tools`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Final

from planrunner.values import dataclass

__all__ = ["GROUP", "Tool", "ToolCommand", "ToolJob", "ToolReader", "ToolSample"]

GROUP: Final = "planrunner.tools"
"""The entry-point group through which other packages bring tools."""


@dataclass(frozen=True, slots=True)
class ToolSample:
    """One request, as a tool tells of it; or several that were alike in all that it tells.

    Attributes:
        request: Its name.
        kind: `request`, or `check` for a condition of the script's own that has a result each time
            it is looked at: `request` is its name, and any `failure` means that it did not hold.
        start_ns: When it began, in ns since 1970; 0 where the tool doesn't say.
        took_ns: From when the tool wanted to send it to its end; None where the tool doesn't say.
        service_ns: From its first byte to its end; None where the tool doesn't say.
        status: 0 where no reply came; None where the tool doesn't say.
        failure: The failure kind, a word of `protocols.base.FailureKind`; empty for a success.
        words: What went wrong, in the tool's words.
        user: The class of users, scenario or thread group that sent it.
        tags: That the script gives it.
        received: Bytes of the body; None where the tool doesn't say, as for `sent`.
        count: How many there were.
    """

    request: str
    start_ns: int = 0
    took_ns: int | None = None
    service_ns: int | None = None
    method: str = ""
    status: int | None = 0
    failure: str = ""
    words: str = ""
    user: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    received: int | None = None
    sent: int | None = None
    count: int = 1
    kind: str = "request"


class ToolReader(ABC):
    """Reads what a tool writes, while it writes.

    Attributes:
        began_ns: When the tool was started, in ns since 1970; set before anything is read.
        lasted_ns: How long the tool says that its load lasted; 0 where it doesn't.
        users: How many it says it has now; None where it doesn't.
        unread: Lines that were not what the tool should write.
        is_cut: Whether it ended before it did all that it was to; set before `end`.
    """

    def __init__(self) -> None:
        self.began_ns = self.lasted_ns = self.unread = 0
        self.users: int | None = None
        self.is_cut = False

    @abstractmethod
    def feed(self, data: bytes) -> Sequence[ToolSample]:
        """Return the samples in some more bytes, which may end anywhere."""

    def end(self, printed: str) -> Iterable[ToolSample]:
        """Return what is left when the tool has ended, having printed this."""
        del printed
        return ()

    def notices(self) -> Sequence[str]:
        """Return what the tool found by itself, such as its own checks, each a sentence."""
        return ()

    def verdict(self, code: int) -> str:
        """Return what an exit code other than 0 means if it is no error, in words; or nothing."""
        del code
        return ""


@dataclass(frozen=True, slots=True)
class ToolJob:
    """What a tool is to do.

    Attributes:
        program: The path of its executable.
        script: What the user gives it; None where it takes none, or none is given.
        args: What else stands on its command line.
        directory: Where it may write, by absolute path; each job has its own.
        once: Whether to send the least that it can, to try the script.
    """

    program: str
    script: Path | None
    args: tuple[str, ...]
    directory: Path
    once: bool = False


@dataclass(frozen=True, slots=True)
class ToolCommand:
    """How a tool is started.

    Attributes:
        env: Variables in addition to those of the user.
        samples: The file that it writes its samples to; None where it prints them.
        files: What it needs beside the user's script, by path.
    """

    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    samples: Path | None = None
    files: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """Everything that the rest of planrunner knows about a load tool.

    Attributes:
        name: Its word in plans: `tool: NAME`.
        programs: What its executable may be called.
        version: The arguments that make it print its version; empty where it has none.
        needs_script: Whether it does nothing without a file of the user.
        script: What that file is, in a few words; empty where it takes none.
        delivers: What of its samples comes into results, as part of a sentence.
        lacks: What doesn't, as part of a sentence.
        install: How to get it, in words or as a command.
        command: Returns how a job is started.
        reader: Returns what reads the samples of a job.
        once: How little `--once` lets it do, as part of a sentence; empty where it can't be told.
        stop_signal: What asks it to end its load and write what it has.
        step_ns: In which it counts latencies; 0 where that is too fine to matter.
        reserved: Options that planrunner gives it itself, and that users' `args` would override;
            each with what to do in place of it.
    """

    name: str
    programs: tuple[str, ...]
    version: tuple[str, ...]
    delivers: str
    lacks: str
    install: str
    command: Callable[[ToolJob], ToolCommand]
    reader: Callable[[ToolJob], ToolReader]
    script: str = ""
    needs_script: bool = False
    once: str = ""
    stop_signal: str = "INT"
    step_ns: int = 0
    reserved: Mapping[str, str] = field(default_factory=dict)

    @property
    def how_to_get(self) -> str:
        """How to install it, as a hint says it."""
        if "://" in self.install.split()[0]:
            return f"get it from {self.install}"
        return f"get it with `{self.install}`"
