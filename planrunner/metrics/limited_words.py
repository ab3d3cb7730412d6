"""Words that users' values make: names and tags, so many of them that each may have a series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MOST_NAMES_OF_A_TEMPLATE", "MOST_TAG_VALUES", "OTHER", "LimitedWords"]

OTHER: Final = "__other__"
"""The word that stands for all those of a key beyond its limit."""

MOST_NAMES_OF_A_TEMPLATE: Final = 50
MOST_TAG_VALUES: Final = 20


class LimitedWords:
    """The first words of each key; those that find no room share one.

    Args:
        most: How many words a key has.

    Attributes:
        full: Keys for which a word found no room, in the order in which that happened.
    """

    __slots__ = ("_most", "_words", "full")

    def __init__(self, most: int) -> None:
        self._most = most
        self._words: dict[str, dict[str, None]] = {}
        self.full: dict[str, None] = {}

    def admit(self, key: str, word: str) -> str:
        """Return the word, or `OTHER`."""
        words = self._words.setdefault(key, {})
        if word in words or word == OTHER:
            return word
        if len(words) >= self._most:
            self.full[key] = None
            return OTHER
        words[word] = None
        return word

    def has(self, key: str, word: str) -> bool:
        return word in self._words.get(key, ())

    def kept(self) -> Mapping[str, tuple[str, ...]]:
        """Return the words of the keys that had too many."""
        return {key: tuple(self._words[key]) for key in self.full}
