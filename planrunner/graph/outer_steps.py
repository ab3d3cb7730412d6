"""Steps that reach beyond the user: to a log, the run, the plan's hooks, other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from planrunner.graph.described_step import DescribedStep
from planrunner.language.expressions.values import Evaluate
from planrunner.values import dataclass

__all__ = ["ExecNode", "LogNode", "PythonNode", "StopNode", "StopWhat", "Word"]

Word = tuple[str | Evaluate, ...]
"""One argument of a command: constant pieces, and what is rendered between them."""


@dataclass(frozen=True, slots=True)
class LogNode(DescribedStep):
    action: ClassVar[str] = "log"

    text: Evaluate
    shown: str
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.shown


class StopWhat(StrEnum):
    ITERATION = "iteration"
    USER = "user"
    PHASE = "phase"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class StopNode(DescribedStep):
    action: ClassVar[str] = "stop"

    what: StopWhat
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.what.value


@dataclass(frozen=True, slots=True)
class PythonNode(DescribedStep):
    """Call a function of the plan's hooks; `target` gets its result unless it is empty."""

    action: ClassVar[str] = "python"

    function: str
    arguments: tuple[tuple[str, Evaluate], ...]
    target: str = ""
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.function

    @property
    def label(self) -> str:
        return self.function


@dataclass(frozen=True, slots=True)
class ExecNode(DescribedStep):
    """Run a command, without a shell.

    Attributes:
        words: Program and arguments; a rendered value never becomes two of them.
        shown: The command as the plan writes it.
        directory: Where it runs.
        target: Gets what it prints, unless empty.
    """

    action: ClassVar[str] = "exec"

    words: tuple[Word, ...]
    shown: str
    directory: Path
    timeout_ns: int
    target: str = ""
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.shown

    @property
    def label(self) -> str:
        return self.shown
