"""What every step of a run graph says of itself, and where in the plan it stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import field
from typing import ClassVar, Final

from planrunner.values import dataclass

__all__ = ["NOWHERE", "DescribedStep", "Nested", "StepOrigin"]


@dataclass(frozen=True, slots=True)
class StepOrigin:
    """Where a step comes from.

    Attributes:
        place: File and line: `plan.yaml:12`; empty where nobody knows.
        measured: Whether the block around it is a result of the run.
    """

    place: str = ""
    measured: bool = True


NOWHERE: Final = StepOrigin()

Nested = tuple[tuple[str, Sequence["DescribedStep"]], ...]


@dataclass(frozen=True, slots=True)
class DescribedStep(ABC):
    """A step, and what it says of itself.

    Attributes:
        action: The key that a plan writes it under.
        target: The name that gets its result; empty when none does.
    """

    action: ClassVar[str]

    origin: StepOrigin = field(default=NOWHERE, kw_only=True, compare=False, repr=False)

    @property
    def target(self) -> str:
        return ""

    @property
    def nested(self) -> Nested:
        """The lists of steps inside it, each with the key it stands under."""
        return ()

    @property
    @abstractmethod
    def subject(self) -> str | list[str]:
        """What it acts on, as a plan writes it."""

    @property
    def label(self) -> str:
        """The name under which its failures are counted."""
        shown = ", ".join(self.subject) if isinstance(self.subject, list) else self.subject
        return f"{self.action} {shown}"

    @property
    def summary(self) -> str:
        """One line that says what it does."""
        shown = ", ".join(self.subject) if isinstance(self.subject, list) else self.subject
        return f"{self.action} {shown}" + (f" as {self.target}" if self.target else "")
