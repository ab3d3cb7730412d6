"""What the assistant says, and when: drawn from a seed, so that truth is known beforehand."""

from __future__ import annotations

import random
from typing import Final

from planrunner.values import dataclass

__all__ = ["MODELS", "PlannedAnswer", "plan_answer"]

MODELS: Final = (("demo", 8_192), ("demo-large", 131_072), ("demo-small", 2_048))
"""The names of the models, and how many tokens each can look back at."""

_WORDS: Final = (
    *("Once", " upon", " a", " time", " there", " was", " an", " engineer", " who", " measured"),
    *(" a", " server", " before", " the", " users", " did", ",", " and", " slept", " well", "."),
)
_FIRST_MS: Final = 40.0
_NEXT_MS: Final = 8.0
_SPREAD: Final = 0.35
_FEWEST: Final = 8


@dataclass(frozen=True, slots=True)
class PlannedAnswer:
    """The tokens of an answer, each with how long it takes.

    Attributes:
        delays_s: Of each token, from the one before; of the first, from the request.
    """

    tokens: tuple[str, ...]
    delays_s: tuple[float, ...]
    is_cut: bool


def plan_answer(seed: int, number: int, most: int | None) -> PlannedAnswer:
    """Return the answer to a request: the same for the same seed and number.

    Args:
        seed: Of the assistant.
        number: Of the request, counted from 1.
        most: The greatest number of tokens; None for as many as there are.
    """
    rng = random.Random(f"assistant {seed} {number}")
    length = rng.randint(_FEWEST, len(_WORDS))
    count = length if most is None else min(length, most)
    typical = (_FIRST_MS, *(_NEXT_MS for _ in range(count - 1)))
    delays_s = tuple(rng.lognormvariate(0.0, _SPREAD) * ms / 1000 for ms in typical)
    return PlannedAnswer(_WORDS[:count], delays_s, is_cut=count < length)
