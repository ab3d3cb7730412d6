"""Masking secrets that are learnt while a run lasts: rows of data, what a login answers.

There may be one for each of thousands of users, and a text holds few of them. So a text is first
searched for letters that any spelling of a secret has, and only the secrets that may be in it are
made into a pattern. Learning one costs a look into a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from planrunner.language.expressions.values import to_text
from planrunner.language.secrets import Masker, letters_kept

__all__ = ["GrowingMasker", "texts_in"]

_MOST: Final = 10_000
"""Secrets of a generation; there are two, so that many of the latest are known."""

_LETTERS: Final = 12
"""Of a secret that a text is searched for first, at most: its last ones, where tokens differ."""

_SHORTEST_INSIDE: Final = 4
"""Of what stands inside a list or an object: shorter texts are words rather than secrets."""

_MOST_PATTERNS: Final = 100
_MOST_LETTERLESS: Final = 100

_FEW: Final = 64


class GrowingMasker(Masker):
    """A masker that learns further secrets.

    Args:
        secrets: Those known from the start.
    """

    __slots__ = ("_fixed", "_fresh", "_made", "_new", "_old")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._fixed = tuple(secrets)
        super().__init__(self._fixed)
        self._new, self._old = _Generation(), _Generation()
        self._fresh: list[str] = []
        self._made: dict[tuple[str, ...], Masker] = {}

    @property
    def has_learnt(self) -> bool:
        return bool(self._new.secrets or self._old.secrets)

    def learn(self, value: object) -> None:
        """Mask a value from now on; of a list or an object, the texts and numbers in it."""
        if isinstance(value, str) and value in self._new.secrets:
            return
        for text in texts_in(value):
            self._add(text)

    def prepare(self) -> None:
        """Do now, a little at a time, what the first text to mask would have to wait for."""
        self._new.index()

    def drain(self) -> tuple[str, ...]:
        """Return what was learnt since the last time."""
        fresh, self._fresh = tuple(self._fresh), []
        return fresh

    def _add(self, text: str) -> None:
        if text in self._new.secrets:
            return
        if len(self._new.secrets) >= _MOST:
            self._new, self._old = _Generation(), self._new
        self._new.secrets[text] = None
        if text not in self._old.secrets:
            self._fresh.append(text)
            del self._fresh[:-_MOST]

    def __call__(self, text: str) -> str:
        """Return the text with every secret in it replaced."""
        if not self.has_learnt:
            return super().__call__(text)
        lower = text.lower()
        found = {**self._old.found_in(lower), **self._new.found_in(lower)}
        return self._masker_of(tuple(found))(text) if found else super().__call__(text)

    def _masker_of(self, learnt: tuple[str, ...]) -> Masker:
        masker = self._made.get(learnt)
        if masker is None:
            if len(self._made) >= _MOST_PATTERNS:
                self._made.clear()
            # All in one: a secret may be part of another.
            masker = self._made[learnt] = Masker((*self._fixed, *learnt))
        return masker


class _Generation:
    """Some secrets, and where to look for them.

    Attributes:
        secrets: In the order in which they were learnt.
    """

    __slots__ = ("_indexed", "_letterless", "_marks", "secrets")

    def __init__(self) -> None:
        self.secrets: dict[str, None] = {}
        self._indexed = 0
        self._marks: dict[int, dict[str, list[str]]] = {}
        self._letterless: list[str] = []

    def found_in(self, text: str) -> Mapping[str, None]:
        """Return the secrets that may be in a text, given in lower case."""
        self.index()
        found = dict.fromkeys(self._letterless)
        for size, marks in self._marks.items():
            if len(marks) <= _FEW:
                hits: Iterable[str] = [mark for mark in marks if mark in text]
            else:
                hits = marks.keys() & {text[at : at + size] for at in range(len(text) - size + 1)}
            for mark in sorted(hits):
                found |= {secret: None for secret in marks[mark] if _may_be_in(text, secret)}
        return found

    def index(self) -> None:
        """Note the marks of what was learnt since: a run without failures never needs them."""
        if self._indexed == len(self.secrets):
            return
        new = list(self.secrets)[self._indexed :]
        self._indexed = len(self.secrets)
        for secret in new:
            marks = {letters[-_LETTERS:].lower() for letters in letters_kept(secret)}
            for mark in marks:
                self._marks.setdefault(len(mark), {}).setdefault(mark, []).append(secret)
            if not any(map(str.isascii, filter(str.isalnum, secret))):
                self._letterless.append(secret)
                del self._letterless[:-_MOST_LETTERLESS]


def _may_be_in(text: str, secret: str) -> bool:
    return any(letters.lower() in text for letters in letters_kept(secret))


def texts_in(value: object, *, inside: bool = False) -> Iterator[str]:
    """Yield the texts and numbers of a value; of what stands inside it, all but the shortest."""
    match value:
        case None | bool():
            return
        case str() | int() | float():
            text = value if isinstance(value, str) else to_text(value)
            if text and (len(text) >= _SHORTEST_INSIDE or not inside):
                yield text
        case Mapping():
            for item in value.values():
                yield from texts_in(item, inside=True)
        case list() | tuple():
            for item in value:
                yield from texts_in(item, inside=True)
        case _:
            yield to_text(value)
