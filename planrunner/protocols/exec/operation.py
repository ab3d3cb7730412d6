"""One compiled command: what `compile` makes and the client runs."""

from __future__ import annotations

from pathlib import Path

from planrunner.protocols.base import Evaluate
from planrunner.protocols.command_words import Word
from planrunner.values import dataclass

__all__ = ["ExecOperation", "status_text"]


def status_text(status: int) -> str:
    """Return an exit code as reports show it; `0` there is what never came to an end."""
    return str(status) if status else "OK"


@dataclass(frozen=True, slots=True)
class ExecOperation:
    """A command to run, without a shell.

    Attributes:
        words: Program and arguments; a rendered value never becomes two of them.
        shown: The command as the plan writes it.
        directory: Where it runs.
        environment: What it gets over the environment of this process.
        target: Gets what it prints, unless empty.
    """

    words: tuple[Word, ...]
    shown: str
    directory: Path
    environment: tuple[tuple[str, Evaluate], ...] = ()
    target: str = ""
