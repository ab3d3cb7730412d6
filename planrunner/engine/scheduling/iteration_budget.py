"""How many iterations are left to begin, for all users of a phase or for one."""

from __future__ import annotations

from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep

__all__ = ["Quota"]


class Quota:
    """A number of iterations; first come, first served.

    Args:
        count: How many.
        warmup: How many of the first are warm-up.

    Attributes:
        left: Those that no user has begun.
    """

    __slots__ = ("_counted", "_resting", "left")

    def __init__(self, count: int, warmup: int = 0) -> None:
        self.left = count
        self._counted = count - warmup
        self._resting: set[InterruptibleSleep] = set()

    @property
    def is_warm(self) -> bool:
        """Whether the one that was taken last is warm-up."""
        return self.left >= self._counted

    def take(self) -> bool:
        """Take one; False when none is left.

        Whoever rests between two iterations when the last one is taken has nothing to wait for.
        """
        if not self.left:
            return False
        self.left -= 1
        if not self.left:
            for sleeper in tuple(self._resting):
                sleeper.cut_short()
        return True

    def rest(self, sleeper: InterruptibleSleep) -> None:
        """Note that a user waits for the next one."""
        self._resting.add(sleeper)

    def rested(self, sleeper: InterruptibleSleep) -> None:
        self._resting.discard(sleeper)
