"""How much of replies a client keeps: bodies that something reads, of all its users together."""

from __future__ import annotations

from typing import Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.units import format_size
from planrunner.values import dataclass

__all__ = ["UNCOUNTED", "KeptBodies", "KeptBudget"]

UNCOUNTED: Final = 64 * 1024
"""A body up to this is not counted when it comes in one piece with its head: that is the hot path,
and users keep one each."""


@dataclass(slots=True)
class KeptBudget:
    """The bytes that all users of a client may keep."""

    limit: int
    used: int = 0


class KeptBodies:
    """What one session keeps: the bodies of its last request, until it sends the next."""

    __slots__ = ("_budget", "_held")

    def __init__(self, budget: KeptBudget) -> None:
        self._budget = budget
        self._held = 0

    @property
    def room(self) -> int:
        """How many bytes more may be kept now."""
        return self._budget.limit - self._budget.used

    def hold(self, size: int) -> None:
        """Count bytes that are going to be kept.

        Raises:
            WireFault: There is no room for them.
        """
        if size > self.room:
            raise self.fault()
        self._budget.used += size
        self._held += size

    def release(self) -> None:
        """Let go of everything."""
        self._budget.used -= self._held
        self._held = 0

    def fault(self) -> WireFault:
        """Return what a request fails with when there is no room."""
        limit = format_size(self._budget.limit)
        words = f"the bodies that users keep would take more than `http.max_kept`, {limit}"
        return WireFault(FailureKind.TOO_LARGE, words)
