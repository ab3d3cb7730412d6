"""What workers and their coordinator say about what the users of all workers share.

```
worker                                                   coordinator
  Push, PutBack: here is a value                       →
  Take: give me one, if you have any                   →
  WaitFor: give me one as soon as you have any         →
  Arrive: a user waits at a barrier                    →
                                                       ←   Given: it has come, or there is none
  Leave: nobody waits for the answer any more          →
  Present: so many users here may come to the barrier  →
```
"""

from __future__ import annotations

from collections.abc import Callable

from planrunner.graph.shared_steps import TakenEnd
from planrunner.values import dataclass

__all__ = [
    "Arrive",
    "Covered",
    "Given",
    "Leave",
    "Present",
    "Push",
    "PutBack",
    "SharedMessage",
    "Take",
    "Tell",
    "WaitFor",
]

Tell = Callable[[object], None]
"""Sends a message to the other end."""


@dataclass(frozen=True, slots=True)
class Covered:
    """A value that must not be shown, by a worker that gets it from another one either."""

    value: object


class SharedMessage:
    """What a worker says."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Push(SharedMessage):
    pool: str
    value: object


@dataclass(frozen=True, slots=True)
class PutBack(SharedMessage):
    """A value came for a user that had gone."""

    pool: str
    value: object


@dataclass(frozen=True, slots=True)
class Take(SharedMessage):
    """`number` is the question's; for the others see `ValuePool.take`."""

    number: int
    pool: str
    which: TakenEnd
    draw: float


@dataclass(frozen=True, slots=True)
class WaitFor(SharedMessage):
    """As `Take`."""

    number: int
    pool: str
    which: TakenEnd
    draw: float


@dataclass(frozen=True, slots=True)
class Arrive(SharedMessage):
    number: int
    phase: str
    barrier: str


@dataclass(frozen=True, slots=True)
class Leave(SharedMessage):
    number: int


@dataclass(frozen=True, slots=True)
class Present(SharedMessage):
    phase: str
    barrier: str
    users: int


@dataclass(frozen=True, slots=True)
class Given:
    """The answer to a question.

    Attributes:
        pool: Where the value comes from; empty for the sign of a barrier.
        found: Whether there is one.
    """

    number: int
    pool: str = ""
    value: object = None
    found: bool = True
