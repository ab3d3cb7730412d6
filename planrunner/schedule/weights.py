"""Picking one of several weighted things, at random or in balance."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from random import Random

__all__ = ["PickIndex", "balanced_picker", "random_picker"]

PickIndex = Callable[[], int]


def random_picker(weights: Sequence[int], rng: Random) -> PickIndex:
    """Return a function that draws a position with a probability of weight / total.

    One random number a draw, even where there is only one thing to pick, so that a second task
    added to a class doesn't change how many numbers the first consumes.
    """
    random, bounds = rng.random, _bounds(tuple(weights))
    total = bounds[-1]
    return lambda: bisect(bounds, random() * total)


@lru_cache
def _bounds(weights: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sums of weights so far: one object for all users of a class."""
    return tuple(accumulate(weights))


def balanced_picker(weights: Sequence[int], rng: Random) -> PickIndex:
    """Return a function that deals positions so that every `total` picks have exact shares.

    The order within a round is Sainte-Laguë's, so the shares also hold within a part of it. One
    random number decides where in the round to begin: users that start together would otherwise
    all pick the same.
    """
    total = sum(weights)
    begin = int(rng.random() * total)
    # Most of the way by quota, the rest by dealing: a round may be long.
    dealt = [begin * weight // total for weight in weights]
    left = total - sum(dealt)
    positions = range(len(weights))

    def pick() -> int:
        nonlocal left
        if not left:
            dealt[:] = [0] * len(weights)
            left = total
        left -= 1
        best = 0
        for position in positions:
            if weights[position] * (2 * dealt[best] + 1) > weights[best] * (
                2 * dealt[position] + 1
            ):
                best = position
        dealt[best] += 1
        return best

    while total - left < begin:
        pick()
    return pick
