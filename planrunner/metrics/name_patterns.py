"""How a selector means names: one of them, those of an action, a glob, a regular expression."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from planrunner.language.patterns.pattern import MatchTimeoutError, Pattern, compile_pattern
from planrunner.late_pattern import late_pattern

__all__ = [
    "NameForm",
    "is_meant",
    "pattern_end",
    "read_pattern",
    "selecting_pattern",
    "shown_pattern",
]


class NameForm(StrEnum):
    """What is written where a name may stand.

    NAME is the name itself, ACTION a bare `etcd.put`, which is all of its requests too. In a GLOB
    `*` stands for any characters, a PATTERN is looked for in names, and ANY is every name.
    """

    NAME = "name"
    ACTION = "action"
    GLOB = "glob"
    PATTERN = "pattern"
    ANY = "any"

    @property
    def is_pattern(self) -> bool:
        """Whether it may mean several names."""
        return self in (NameForm.GLOB, NameForm.PATTERN)


def is_meant(written: str, form: NameForm, name: str) -> bool:
    """Whether what is written in this form means this name."""
    match form:
        case NameForm.ANY:
            return True
        case NameForm.GLOB:
            return _fits(written, name)
        case NameForm.PATTERN:
            return _is_found(written, name)
        case _:
            return written == name


def _fits(glob: str, name: str) -> bool:
    """Whether the pieces between the stars follow one another: linear, unlike a translation."""
    first, *middle = glob.split("*")
    if not middle:
        return name == glob
    last = middle.pop()
    at, end = len(first), len(name) - len(last)
    if end < at or not (name.startswith(first) and name.endswith(last)):
        return False
    for piece in middle:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


@lru_cache(maxsize=10_000)  # each second asks for the same few names
def _is_found(source: str, name: str) -> bool:
    try:
        return selecting_pattern(source).is_in(name)
    except MatchTimeoutError:  # such a name belongs to nobody's pattern
        return False


@lru_cache(maxsize=200)
def selecting_pattern(source: str) -> Pattern:
    """Return the pattern of a source.

    Raises:
        PatternError: It isn't a regular expression.
    """
    return compile_pattern(source)


# A slash that nothing of the pattern can follow; names are full of the others.
_END: Final = r"(?=[\s),<>=!]|\Z)"
_CLOSING: Final = late_pattern(rf"(?:\\.|[^\\/]|/(?!{_END}))*/{_END}", re.DOTALL)
_PAIR: Final = late_pattern(r"\\(.)", re.DOTALL)
_AMBIGUOUS: Final = late_pattern(rf"(\\.)|/{_END}", re.DOTALL)


def pattern_end(text: str, start: int) -> int:
    """Return where the pattern ends whose first slash is at `start`; 0 if nothing closes it."""
    found = _CLOSING.match(text, start + 1)
    return found.end() if found else 0


def read_pattern(written: str) -> str:
    r"""Return the source between two slashes: `\/` is a slash."""
    return _PAIR.sub(lambda pair: "/" if pair[1] == "/" else pair[0], written[1:-1])


def shown_pattern(source: str) -> str:
    """Write a source between slashes so that `read_pattern` gives it back."""
    return f"/{_AMBIGUOUS.sub(lambda found: found[1] or chr(92) + '/', source)}/"
