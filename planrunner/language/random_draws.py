"""The helper `rand`: every random draw of one virtual user, from one seeded stream."""

from __future__ import annotations

import builtins
import string
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final
from uuid import UUID

from planrunner.language.values import UNDEFINED, EvaluationError, kind_of

__all__ = ["MAX_TEXT", "Rand"]

MAX_TEXT: Final = 16 * 1024 * 1024
"""Most characters of one random text; larger bodies belong in a file."""

_LETTERS_AND_DIGITS: Final = string.ascii_letters + string.digits
_LOWER: Final = string.ascii_lowercase


class Rand:
    """What plans see as `rand`; each user has its own, seeded, so that a run can be repeated."""

    __slots__ = ("_random", "_rng")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._random = rng.random

    def int(self, low: builtins.int, high: builtins.int) -> builtins.int:
        """Return an integer from `low` to `high`, both included."""
        return self._rng.randint(low, high)

    def float(self, low: builtins.float, high: builtins.float) -> builtins.float:
        """Return a number from `low` to `high`."""
        return self._rng.uniform(low, high)

    def text(self, length: builtins.int) -> str:
        """Return ASCII letters and digits."""
        return self._draw(_LETTERS_AND_DIGITS, length)

    def lower(self, length: builtins.int) -> str:
        """Return lower-case ASCII letters."""
        return self._draw(_LOWER, length)

    def choice(self, items: object) -> object:
        """Return one of a list's items, of a text's characters or of a mapping's keys."""
        if isinstance(items, Mapping):
            items = list(items)
        if not isinstance(items, Sequence):
            raise EvaluationError(f"can't choose from {kind_of(items)}")
        if not items:
            raise EvaluationError("can't choose from an empty list")
        return self._rng.choice(items)

    def pick(self, items: Any) -> object:  # noqa: ANN401 - whatever a plan computes with
        """Return one item for the filter `random`, UNDEFINED of an empty list."""
        count = len(items)
        return items[int(self._random() * count)] if count else UNDEFINED

    def uuid(self) -> str:
        """Return a random UUID (version 4)."""
        return str(UUID(int=self._rng.getrandbits(128), version=4))

    def _draw(self, alphabet: str, length: object) -> str:
        if not isinstance(length, int) or length < 0:
            raise EvaluationError("a random text needs a length: a whole number from 0")
        if length > MAX_TEXT:
            raise EvaluationError("a random text has at most 16 MiB")
        return "".join(self._rng.choices(alphabet, k=length))
