"""Steps that change lists or wait for others, and the lists that users share."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from planrunner.graph.described_step import DescribedStep
from planrunner.language.expressions.values import Evaluate
from planrunner.units import format_count, write_duration
from planrunner.values import dataclass

__all__ = ["ALL_USERS", "BarrierNode", "PoolNode", "PopNode", "PushNode", "TakenEnd"]

TakenEnd = Literal["first", "last", "random"]
"""Which element `pop` takes out."""

ALL_USERS: Final = 0
"""Of a barrier: as many users as there are."""


@dataclass(frozen=True, slots=True)
class PoolNode:
    """A list that users share.

    Attributes:
        of_run: Whether the users of all workers share it, and not each worker's its own.
        most: How many elements it holds at most.
        values: What is in it at first.
    """

    name: str
    of_run: bool = False
    most: int = 10_000
    values: tuple[Evaluate, ...] = ()

    @property
    def summary(self) -> str:
        """One line that says what it is."""
        whose = "of the run" if self.of_run else "of each worker"
        first = f", begins with {format_count(len(self.values), 'value')}" if self.values else ""
        return f"{self.name}: a list {whose}, at most {self.most:,} elements{first}"


@dataclass(frozen=True, slots=True)
class PushNode(DescribedStep):
    """Values to add, each to the end of the list with the name before it, or of `pool.NAME`."""

    action: ClassVar[str] = "push"

    values: tuple[tuple[str, Evaluate], ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> list[str]:
        return [name for name, _ in self.values]


@dataclass(frozen=True, slots=True)
class PopNode(DescribedStep):
    """Take an element out of a list.

    Attributes:
        source: The name of the user's list, or of the pool.
        target: The name that gets the element; empty when none does.
        is_pool: Whether others share the list.
        wait_ns: How long to wait for an element of a pool; 0 for not at all.
    """

    action: ClassVar[str] = "pop"

    source: str
    which: TakenEnd
    target: str = ""
    when: Evaluate | None = None
    is_pool: bool = False
    wait_ns: int = 0

    @property
    def subject(self) -> str:
        return f"{self.which} of {'pool.' if self.is_pool else ''}{self.source}"

    @property
    def summary(self) -> str:
        target = f" as {self.target}" if self.target else ""
        wait = f", waits up to {write_duration(self.wait_ns)}" if self.wait_ns else ""
        return f"pop {self.subject}{target}{wait}"


@dataclass(frozen=True, slots=True)
class BarrierNode(DescribedStep):
    """Wait for other users.

    Attributes:
        users: How many go on together; `ALL_USERS` for as many as there are.
    """

    action: ClassVar[str] = "barrier"

    name: str
    users: int
    timeout_ns: int
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.name

    @property
    def who(self) -> str:
        """Whom it waits for, in words."""
        return "all users" if self.users == ALL_USERS else format_count(self.users, "user")

    @property
    def summary(self) -> str:
        return (
            f"barrier {self.name}: waits for {self.who}, at most {write_duration(self.timeout_ns)}"
        )
