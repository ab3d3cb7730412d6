"""Which of several workers gets which rows, so that together they keep what one would promise.

Every worker walks the same sequence of rows and takes its own: no two take the same position, and
every position has a taker. So what is drawn once a run is drawn by one worker only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, cycle, islice, repeat
from typing import Final, TypeVar

from planrunner.errors import Misuse
from planrunner.values import dataclass

__all__ = ["ALL", "WorkerShare", "owners_of_rows"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """One worker's part of the rows.

    Attributes:
        worker: Which one, from 0.
        workers: How many there are.
    """

    worker: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.worker < self.workers:
            raise Misuse(f"no worker `{self.worker}` of `{self.workers}`")

    def among(self, workers: Sequence[int]) -> WorkerShare:
        """Return the part of what was dealt to some of the workers, this one among them.

        A sequence of their rows only, in order, is dealt to them as the whole one is.
        """
        return WorkerShare(workers.index(self.worker), len(workers)) if workers else self

    def dealt(self, sequence: Iterator[T]) -> Iterator[T]:
        """Yield every n-th, for rows that are drawn one after the other.

        The sequence may be endless. Rows that come again come to another worker when the number
        of rows isn't a multiple of n: in the long run all see all.
        """
        if self.workers == 1:
            return sequence
        return islice(sequence, self.worker, None, self.workers)

    def reserved(self, sequence: Iterator[T], needs: Sequence[int]) -> Iterator[T]:
        """Yield as many as the worker needs, for rows of which each user holds one.

        `needs` are the most users that each worker has at a time. Each gets that many rows, in
        the workers' order; those left over are dealt. So a worker is short of rows only if all
        of them together have too few.
        """
        if self.workers == 1:
            return sequence
        if len(needs) != self.workers:
            raise Misuse(f"`{len(needs)}` needs for `{self.workers}` workers")
        return self._reserved(sequence, needs)

    def _reserved(self, sequence: Iterator[T], needs: Sequence[int]) -> Iterator[T]:
        before = sum(needs[: self.worker])
        after = sum(needs[self.worker + 1 :])
        yield from islice(sequence, before, before + needs[self.worker])
        yield from self.dealt(islice(sequence, after, None))


def owners_of_rows(workers: int, needs: Sequence[int] = ()) -> Iterator[int]:
    """Yield the worker that each row of a sequence goes to, without end.

    Args:
        workers: How many there are.
        needs: As for `reserved`; without them, rows are `dealt`.
    """
    yield from chain.from_iterable(repeat(worker, most) for worker, most in enumerate(needs))
    yield from cycle(range(workers))


ALL: Final = WorkerShare()
"""The part of the only worker."""
