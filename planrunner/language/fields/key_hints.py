"""Keys that a mapping doesn't have: what they are called in it, and which it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["as_spelt_here", "cut_off", "listed"]

_SHOWN_KEYS = 12  # about two lines of a terminal


def as_spelt_here(words: Mapping[str, str], word: str) -> str:
    """Return the value of a word, whatever its capitals, hyphens and underscores are."""
    if word in words:
        return words[word]
    folded = _folded(word)
    return next((value for key, value in words.items() if _folded(key) == folded), "")


def _folded(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())


def listed(keys: Sequence[str]) -> str:
    """Return a hint with the keys that there are, or the first of many."""
    shown = ", ".join(f"`{key}`" for key in keys[:_SHOWN_KEYS])
    return f"known keys are {shown}{' …' if len(keys) > _SHOWN_KEYS else ''}"


def cut_off(word: str) -> str:
    """Return what to do about the rest of a value that a comma has ended: `normal(2s, 1s)`."""
    is_rest = any(word.count(end) > word.count(begin) for begin, end in ("()", "[]"))
    return "inside `{…}` a comma ends the value before it: put that into quotes" if is_rest else ""
