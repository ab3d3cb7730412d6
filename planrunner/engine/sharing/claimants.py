"""Who waits for something that other users do."""

from __future__ import annotations

from abc import ABC, abstractmethod

from planrunner.engine.scheduling.timeline import FOREVER_NS
from planrunner.engine.users.user_context import Actor

__all__ = ["Claimant", "Wait"]


class Claimant(ABC):
    """A user of this worker, or of another one."""

    __slots__ = ()

    @abstractmethod
    def give(self, value: object) -> None:
        """Let it have what it waits for."""


class Wait(Claimant):
    """A user of this worker that waits.

    Attributes:
        is_over: It has got what it waits for.
        value: That.
    """

    __slots__ = ("_user", "is_over", "value")

    def __init__(self, user: Actor) -> None:
        self._user = user
        self.is_over = False
        self.value: object = None

    def give(self, value: object) -> None:
        self.value = value
        self.is_over = True
        self._user.sleeper.wake()

    async def until_over(self, limit_ns: int = 0, *, soundly: bool = False) -> None:
        """Wait until it is over, the time is, or the user has to go on; no part of any latency.

        Args:
            limit_ns: How long at most; 0 for as long as it takes.
            soundly: As in `InterruptibleSleep.until`.
        """
        user = self._user
        began_ns = user.clock.now_ns()
        due_ns = began_ns + limit_ns if limit_ns else FOREVER_NS
        await user.sleeper.until_over(self, due_ns, soundly=soundly)
        user.waited(began_ns)
