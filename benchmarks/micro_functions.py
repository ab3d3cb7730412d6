"""What question 13 measures: functions of 100 ns, 3 us, 30 us and 2 ms, each the same work."""

from __future__ import annotations

import json
import random

_ROW = "17,apple,3.5,true"
_RECORD = {"id": 17, "name": "apple", "price": 3.5, "tags": ["a", "b", "c"]}
_drawn = random.Random(1)
_FLOATS = [_drawn.random() for _ in range(15_000)]


def split() -> list[str]:
    return _ROW.split(",")


def dumps() -> str:
    return json.dumps(_RECORD)


def add() -> int:
    total = 0
    for number in range(1000):
        total += number
    return total


def sort() -> list[float]:
    return sorted(_FLOATS)


FUNCTIONS = {function.__name__: function for function in (split, dumps, add, sort)}
