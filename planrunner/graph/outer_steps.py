"""Steps that reach beyond the user: to a log, and to the run."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from planrunner.graph.described_step import DescribedStep
from planrunner.language.expressions.values import Evaluate
from planrunner.values import dataclass

__all__ = ["LogNode", "StopNode", "StopWhat"]


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
