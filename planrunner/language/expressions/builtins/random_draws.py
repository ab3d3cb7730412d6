"""The helper `rand`: every random draw of one virtual user, from one seeded stream."""

from __future__ import annotations

import builtins
from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Any, Final

from planrunner.language.expressions.builtins.fakes import draw_fake
from planrunner.language.expressions.values import UNDEFINED, EvaluationError, kind_of

__all__ = ["MAX_TEXT", "Rand", "stream_of"]

MAX_TEXT: Final = 16 * 1024 * 1024
"""Most characters of one random text; larger bodies belong in a file."""


_INT: Final = int  # in `Rand` the name means its method

_UUID_FIXED: Final = 0x4 << 76 | 0b10 << 62
_UUID_RANDOM: Final = ((1 << 128) - 1) & ~(0xF << 76 | 0b11 << 62)


class Rand:
    """What plans see as `rand`; each user has its own, seeded, so that a run can be repeated."""

    __slots__ = ("_bits", "_random", "_rng")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._random = rng.random
        self._bits = rng.getrandbits

    def fake(self, name: str, *args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - a plan's
        """Return a made-up value; plans write it `fake.NAME(…)`."""
        return draw_fake(name, self._rng)(*args, **kwargs)

    def int(self, low: builtins.int, high: builtins.int) -> builtins.int:
        """Return an integer from `low` to `high`, both included."""
        if not (type(low) is type(high) is _INT and low <= high):
            return self._rng.randint(low, high)  # which knows what else counts as a number
        # The draws of `randint`, without the three calls that it takes to get to them.
        count = high - low + 1
        bits = count.bit_length()
        getrandbits = self._bits
        drawn = getrandbits(bits)
        while drawn >= count:
            drawn = getrandbits(bits)
        return low + drawn

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

    def sample(self, items: object, count: builtins.int) -> list[object]:
        """Return `count` different items of a list, in random order."""
        listed = self._listed(items)
        if not 0 <= count <= len(listed):
            raise EvaluationError(f"a sample of {len(listed):,} items has 0 to {len(listed):,}")
        return self._rng.sample(listed, count)

    def shuffle(self, items: object) -> list[object]:
        """Return the items of a list in random order; the list itself stays as it is."""
        listed = self._listed(items)
        return self._rng.sample(listed, len(listed))

    def weighted(self, weights: object) -> object:
        """Return one of a mapping's keys, as often as its value says."""
        if not isinstance(weights, Mapping) or not weights:
            raise EvaluationError("`rand.weighted` draws from a mapping of items to their weights")
        bounds = [*accumulate(map(_weight, weights.values()))]
        if not bounds[-1] > 0:
            raise EvaluationError("at least one weight must be over 0")
        return list(weights)[bisect(bounds, self._random() * bounds[-1])]

    def _listed(self, items: object) -> list[object]:
        if isinstance(items, list | tuple):
            return list(items)
        raise EvaluationError(f"{kind_of(items)} is not a list")

    def pick(self, items: Any) -> object:  # noqa: ANN401 - whatever a plan computes with
        """Return one item for the filter `random`, UNDEFINED of an empty list."""
        count = len(items)
        return items[int(self._random() * count)] if count else UNDEFINED

    def uuid(self) -> str:
        """Return a random UUID (version 4)."""
        # The version is 4, and the variant's bits are 10 (RFC 9562, 5.4).
        drawn = self._rng.getrandbits(128) & _UUID_RANDOM | _UUID_FIXED
        digits = f"{drawn:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _draw(self, letters: _Letters, length: object) -> str:
        if not isinstance(length, builtins.int) or length < 0:
            raise EvaluationError("a random text needs a length: a whole number from 0")
        if length > MAX_TEXT:
            raise EvaluationError("a random text has at most 16 MiB")
        drawn = b""
        while len(drawn) < length:
            # An eighth more and a few, for the bytes that are thrown away.
            count = length - len(drawn) + (length >> 3) + 8
            drawn += self._rng.randbytes(count).translate(letters.table, letters.unused)
        return drawn[:length].decode()


def _weight(value: object) -> builtins.float:
    if isinstance(value, _INT | builtins.float) and not isinstance(value, bool) and value >= 0:
        return value
    raise EvaluationError("a weight is a number from 0")


class _Letters:
    """Turns random bytes into letters, each as likely as any other.

    Bytes beyond the greatest multiple of the number of letters are thrown away. One call for the
    whole text is ten times as fast as a draw for each letter.
    """

    def __init__(self, letters: str) -> None:
        repeated = letters.encode() * (256 // len(letters))
        self.table = repeated.ljust(256)
        self.unused = bytes(range(len(repeated), 256))


_A_TO_Z: Final = "abcdefghijklmnopqrstuvwxyz"  # the module `string` takes a fiftieth of a start
_LETTERS_AND_DIGITS: Final = _Letters(_A_TO_Z + _A_TO_Z.upper() + "0123456789")
_LOWER: Final = _Letters(_A_TO_Z)


def stream_of(rand: Rand) -> Random:
    """Return the stream that it draws from, for code that draws beside expressions."""
    return rand._rng  # noqa: SLF001 - plans must not see it as an attribute
