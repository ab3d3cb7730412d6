"""Masking secrets in text that others wrote, the last resort.

Messages are made so that no value of a secret gets into them: they show what the plan says, not
what it evaluates to. What a server echoes comes from outside all the same, so whatever text is
kept of a reply goes through a `Masker` before it is cut, stored or shown.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Final
from urllib.parse import quote, quote_plus

from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import Diagnostic, PlanError
from planrunner.late_pattern import late_pattern

__all__ = ["MASK", "Masker", "letters_kept"]

MASK: Final = "***"

_SHORTEST: Final = 4
"""Shorter values stand in too many words by chance: they are masked where they are a word."""

_SHORTEST_ENCODED: Final = 4
_SHORTEST_IN_ANY_CASE: Final = 8
"""Shorter pieces of base64 are looked for as they are: in any case they'd be in too many texts."""

_SHORTEST_LINE: Final = 8
"""Of one among others: a secret of many lines has words that are none, such as `data:`."""


class Masker:
    """Replaces secrets in text, however they are written: quoted, escaped, encoded, in any case.

    Of a secret of several lines, such as a private key, each line is one by itself: text is often
    seen a line at a time.

    Args:
        secrets: Their values as text.
    """

    __slots__ = ("_pattern",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        secrets = [*dict.fromkeys(filter(None, secrets))]
        spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
        # The longest first: one secret may be the beginning of another.
        ranked = [pattern for _, pattern in sorted(spellings, reverse=True)]
        ranked += _around_base64(dict.fromkeys(core for each in secrets for core in _cores(each)))
        self._pattern = re.compile("|".join(ranked), re.IGNORECASE) if ranked else None

    @property
    def pattern(self) -> str:
        """What secrets look like, as a regular expression that ignores case; empty without any."""
        return "" if self._pattern is None else self._pattern.pattern

    def __call__(self, text: str) -> str:
        """Return the text with every secret in it replaced."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def diagnostics(self, found: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
        """Return findings about a plan as people may see them; columns stay right."""
        return tuple(
            replace(
                item,
                message=self(item.message),
                hint=self(item.hint),
                source=self._blot(item.source),
                notes=tuple(replace(note, message=self(note.message)) for note in item.notes),
            )
            for item in found
        )

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Mask what exceptions say when they leave the block, unforeseen ones included."""
        try:
            yield
        except PlanError as error:
            raise PlanError(self.diagnostics(error.diagnostics)) from error
        except PlanrunnerError as error:
            error.message, error.hint = self(error.message), self(error.hint)
            error.args = (error.message,)
            raise
        except Exception as error:
            self._cover_chain(error)
            raise

    def _cover_chain(self, error: BaseException | None) -> None:
        """Mask the texts of an exception and of those that it came from."""
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            error.args = tuple(self(arg) if isinstance(arg, str) else arg for arg in error.args)
            error = error.__cause__ or error.__context__

    def _blot(self, text: str) -> str:
        pattern = self._pattern
        return text if pattern is None else pattern.sub(lambda found: "*" * len(found[0]), text)


def _spellings(secret: str) -> Iterator[tuple[int, str]]:
    """Yield patterns of what a secret may look like, each with the length it is ranked by."""
    pattern = "".join(map(_letter, secret))
    if len(secret) < _SHORTEST:
        yield len(secret), rf"(?<!\w){pattern}(?!\w)"
        return
    yield len(secret), pattern
    lines = [line for line in map(str.strip, secret.splitlines()) if line]
    for line in lines:
        if len(line) >= (_SHORTEST if len(lines) == 1 else _SHORTEST_LINE):
            yield len(line), "".join(map(_letter, line))
    hexadecimal = secret.encode("utf-8", "replace").hex()
    yield len(hexadecimal), hexadecimal


_RUN: Final = "[A-Za-z0-9+/_-]"
_RUN_BEHIND_SLASH: Final = "[A-Za-z0-9+_-]"


def _around_base64(cores: Iterable[str]) -> list[str]:
    """Return patterns of all the base64 that a secret is in, and not of its own letters only.

    What stands beside a secret goes with it, such as the user's name in `Basic`. Each pattern
    begins where letters of base64 do, so that a long text of them is read once; and not with a
    slash, since that of a URL's path is no part of it.
    """
    secret = "|".join(cores)
    if not secret:
        return []
    end = rf"(?:{secret}){_RUN}*(?:=|%3D)*"
    begins = (
        rf"(?<!{_RUN}){_RUN_BEHIND_SLASH}{_RUN}*?",
        rf"(?<!{_RUN_BEHIND_SLASH}){_RUN_BEHIND_SLASH}*?",
        "",
    )
    return [begin + end for begin in begins]


def _cores(secret: str) -> Iterator[str]:
    """Yield patterns of the letters that base64 has for a secret, whatever stands around it."""
    for core in _in_base64(secret):
        pattern = core.replace("+", "[+-]").replace("/", "[/_]")
        yield pattern if len(core) >= _SHORTEST_IN_ANY_CASE else f"(?-i:{pattern})"


def _in_base64(secret: str) -> Iterator[str]:
    if len(secret) < _SHORTEST:
        return
    # OAuth2 encodes a secret like a form before it does that (RFC 6749, 2.3.1).
    for plain in dict.fromkeys((secret, quote_plus(secret, errors="replace"))):
        yield from _letters_in_base64(plain.encode("utf-8", "replace"))


def _letters_in_base64(data: bytes) -> Iterator[str]:
    for before in range(3):  # where it begins in a group of three bytes decides its letters
        encoded = b64encode(bytes(before) + data).decode("ascii").rstrip("=")
        # The letters at both ends also depend on the neighbours.
        core = encoded[(0, 2, 3)[before] : -1 if (before + len(data)) % 3 else None]
        if len(core) >= _SHORTEST_ENCODED:
            yield core


_LONG: Final = 12
_PLAIN_LETTERS: Final = late_pattern("[A-Za-z0-9]+")


def letters_kept(secret: str) -> Iterator[str]:
    """Yield runs of letters, at least one of which is in every spelling of a secret.

    Nobody escapes letters and digits. Nothing is yielded for what has none.
    """
    lines = [line for line in map(str.strip, secret.splitlines()) if len(line) >= _SHORTEST_LINE]
    data = secret.encode("utf-8", "replace")
    for text in (secret, *(lines if len(lines) > 1 else ()), data.hex(), *_in_base64(secret)):
        if runs := _PLAIN_LETTERS.findall(text):
            # The last that is long: tokens begin alike and end differently.
            long = [run for run in runs if len(run) >= _LONG]
            yield long[-1] if long else max(runs, key=len)


# As `html.escape` writes them; importing it takes as long as reading a plan of fifty lines.
_IN_HTML: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}


@cache
def _letter(letter: str) -> str:
    """Return a pattern of one character: each may be escaped or not, as its writer saw fit."""
    if letter.isascii() and letter.isalnum():
        return letter
    percent = quote(letter, safe="", errors="replace")
    if percent == letter:  # `-._~` need no quoting, and some quote them all the same
        percent = f"%{ord(letter):02X}"
    data = letter.encode("utf-8", "replace")
    spellings = {
        letter,
        data.decode("latin-1"),
        repr(data)[2:-1],
        percent,
        percent.replace("%", "%25"),
        json.dumps(letter)[1:-1],
        json.dumps(json.dumps(letter)[1:-1])[1:-1],
        repr(letter)[1:-1],
        "\\" + letter,
        _IN_HTML.get(letter, letter),
        f"&#{ord(letter)};",
        f"&#x{ord(letter):x};",
    }
    if letter == " ":
        spellings |= {"+", "%2B"}
    ranked = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    return f"(?:{'|'.join(map(re.escape, ranked))})"
