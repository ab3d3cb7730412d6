"""Calls that draw values, and the formats of Python's text, as tables."""

from __future__ import annotations

import ast
import json
import re
from typing import Final

from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable

__all__ = ["DRAWS", "brace_pieces", "constant", "is_text", "percent_pieces"]

DRAWS: Final = {
    "random.randint": "rand.int({}, {})",
    "random.uniform": "rand.float({}, {})",
    "random.choice": "rand.choice({})",
    "random.sample": "rand.sample({}, {})",
    "random.random": "rand.float(0, 1)",
    "uuid.uuid4": "rand.uuid()",
    "uuid.uuid1": "rand.uuid()",
    "time.time": "now()",
    "datetime.datetime.now": "date()",
    "datetime.datetime.utcnow": "date()",
    "datetime.now": "date()",
    "json.dumps": "({} | json)",
}
"""What calls of Python's library are in a plan, with places for their arguments."""


def percent_pieces(pattern: str) -> list[str] | None:
    """Return the text between the `%s` and `%d` of a format; None where it has others."""
    pieces = re.split(r"%[sd]", pattern)
    return None if "%" in "".join(pieces) else pieces


def brace_pieces(pattern: str) -> list[str] | None:
    """Return text and keys in turn of `a {} b {name}`; None where it formats numbers."""
    if "{{" in pattern or "}}" in pattern:
        return None
    pieces = re.split(r"\{(\w*)\}", pattern)
    if any("{" in one for one in pieces[::2]):
        return None
    numbers = iter(range(len(pieces)))
    return [
        str(next(numbers)) if number % 2 and not one else one for number, one in enumerate(pieces)
    ]


def is_text(node: ast.expr) -> bool:
    """Say whether code is surely text."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return is_text(left) or is_text(right)
        case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod()):
            return True
        case ast.Call(func=ast.Name(id="str")):
            return True
        case _:
            return False


def constant(node: ast.Constant, _: LocustNames) -> str:
    """Return a constant as expressions of a plan say it."""
    plain = node.value
    if plain is None:
        return "none"
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, int | float):
        return repr(plain)
    if isinstance(plain, str):
        return _quoted(plain)
    raise Unsayable(node, "a constant that a plan doesn't have")


def _quoted(text: str) -> str:
    return f"'{text}'" if re.fullmatch(r"[^'\\\x00-\x1f]*", text) else json.dumps(text)
