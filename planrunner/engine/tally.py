"""What a worker counts beside samples; a value of totals, so those of several workers add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Tally", "TaskKey"]

TaskKey = tuple[str, str, str]
"""Phase, user class, task."""


@dataclass(slots=True)
class Tally:
    """Totals since the start of the run; only ever grow.

    Attributes:
        started: Users started, by phase and class.
        picks: Iterations begun, by phase, class and task: the achieved mix.
        start_failures: Users that stopped because their `on_start` failed, by phase and class.
        stop_failures: Users whose `on_stop` failed or was cut.
        ended_early: Iterations ended by a failed expression or extraction.
        aborted: Iterations cut when the graceful stop was over.
        backoffs: Pauses after a refused connection.
        soft_failures: Soft expectations that did not hold, by request name.
    """

    started: Counter[tuple[str, str]] = field(default_factory=Counter)
    picks: Counter[TaskKey] = field(default_factory=Counter)
    start_failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    soft_failures: Counter[str] = field(default_factory=Counter)
    stop_failures: int = 0
    ended_early: int = 0
    aborted: int = 0
    backoffs: int = 0

    def failed_starts(self, phase: str) -> int:
        return sum(users for (name, _), users in self.start_failures.items() if name == phase)

    def add(self, other: Tally) -> None:
        """Add another worker's totals."""
        self.started += other.started
        self.picks += other.picks
        self.start_failures += other.start_failures
        self.soft_failures += other.soft_failures
        self.stop_failures += other.stop_failures
        self.ended_early += other.ended_early
        self.aborted += other.aborted
        self.backoffs += other.backoffs
