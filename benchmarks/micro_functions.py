"""What question 13 measures: functions of 150 ns, 3 us, 50 us and 2 ms, each the same work.

None of them is a loop over numbers: what that takes depends by some 10 % on where the memory of the
numbers lies, which each tool leaves otherwise.
"""

from __future__ import annotations

import hashlib
import json
import random

_ROW = "17,apple,3.5,true"
_RECORD = {"id": 17, "name": "apple", "price": 3.5, "tags": ["a", "b", "c"]}
_TEXT = bytes(range(256)) * 200
_drawn = random.Random(1)
_FLOATS = [_drawn.random() for _ in range(15_000)]


def split() -> list[str]:
    return _ROW.split(",")


def dumps() -> str:
    return json.dumps(_RECORD)


def digest() -> bytes:
    return hashlib.blake2b(_TEXT).digest()


def sort() -> list[float]:
    return sorted(_FLOATS)


FUNCTIONS = {function.__name__: function for function in (split, dumps, digest, sort)}
