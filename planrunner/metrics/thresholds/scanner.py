"""Reading a threshold piece by piece, and saying where it goes wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NoReturn

from planrunner.language.diagnostics import suggest
from planrunner.language.patterns.pattern import PatternError
from planrunner.language.patterns.words import broken_pattern
from planrunner.late_pattern import late_pattern
from planrunner.metrics.name_patterns import pattern_end, read_pattern, selecting_pattern
from planrunner.metrics.thresholds.model import ThresholdSyntaxError
from planrunner.metrics.thresholds.selector import quoted

__all__ = ["Scanner", "nearest"]

_SPACE: Final = late_pattern(r"\s*")
_WORD: Final = late_pattern(r"[A-Za-z0-9_.-]+")
_STRING: Final = late_pattern(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_ESCAPE: Final = late_pattern(r"\\(.)", re.DOTALL)
_VALUE: Final = late_pattern(r"[^\s,()]+")
# What a person took for one name: up to the next clause, operator or connective.
_UNQUOTED: Final = late_pattern(
    r"""[^"'<>=!,()]+?(?=\s+(?:of|among|in|over|and|or|except)\s|\s*[<>=!,()"']|\s*$)"""
)

_LONGEST: Final = 4_000


class Scanner:
    """A text and a position in it; every method skips white space first.

    Attributes:
        at: Where the next piece starts.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        if len(text) > _LONGEST:
            raise ThresholdSyntaxError(
                f"a threshold has at most {_LONGEST} characters", offset=_LONGEST
            )

    def at_end(self) -> bool:
        self._skip_space()
        return self.at == len(self.text)

    def peek_word(self) -> str:
        """Return the next word without taking it; empty when something else comes next."""
        return self._peek(_WORD)

    def peek_value(self) -> str:
        """Return everything up to the next space, comma or parenthesis without taking it."""
        return self._peek(_VALUE)

    def skip(self, piece: str) -> None:
        """Move behind `piece`, which the last `peek_…` returned."""
        self.at += len(piece)

    def take(self, symbol: str) -> bool:
        """Move behind `symbol` if it comes next."""
        self._skip_space()
        if not self.text.startswith(symbol, self.at):
            return False
        self.at += len(symbol)
        return True

    def take_word(self, word: str) -> bool:
        """Move behind `word` if it is the next word."""
        if self.peek_word() != word:
            return False
        self.at += len(word)
        return True

    def take_joined(self, symbol: str) -> bool:
        """Move behind `symbol` if it follows without a space."""
        if not self.text.startswith(symbol, self.at):
            return False
        self.at += len(symbol)
        return True

    def take_name(self, what: str) -> tuple[str, int, bool]:
        """Take a bare or quoted name.

        Args:
            what: What is named, for the message: `a task`.

        Returns:
            The name, where it starts, and whether it was quoted.
        """
        word = self.peek_word()
        start = self.at
        if word:
            self.at += len(word)
            return word, start, False
        found = _STRING.match(self.text, self.at)
        if found is None:
            self._no_name(what)
        self.at = found.end()
        name = _ESCAPE.sub(r"\1", found[0][1:-1])
        if not name:
            self.fail(f"{what} needs a name", start, length=2)
        return name, start, True

    def take_pattern(self) -> tuple[str, int] | None:
        """Take a regular expression between slashes; its source and where it starts."""
        self._skip_space()
        start = self.at
        if not self.text.startswith("/", start):
            return None
        end = pattern_end(self.text, start)
        if not end:
            name = self.unquoted(start)
            self.fail(
                "the pattern is never closed",
                hint=f"end it with `/`; a name goes in quotes: `{name}`" if name else "",
            )
        shown = self.text[start:end]
        source = read_pattern(shown)
        if not source:
            self.fail("the pattern is empty", length=2, hint='write `"*"` for all names')
        try:
            lacks = selecting_pattern(source).lacks
        except PatternError as error:
            message, hint = broken_pattern(shown, error)
            self.fail(message, length=len(shown), hint=hint)
        if lacks:
            self.fail(
                f"a pattern in a threshold can't have {lacks}",
                length=len(shown),
                hint="combine patterns with `and`, `or` and `not`",
            )
        self.at = end
        return source, start

    def unquoted(self, start: int) -> str:
        """Return what may have been meant as one name at `start`, in quotes."""
        found = _UNQUOTED.match(self.text, start)
        return quoted(found[0].strip(), forced=True) if found and found[0].strip() else ""

    def fail(
        self, message: str, at: int | None = None, *, length: int = 0, hint: str = ""
    ) -> NoReturn:
        """Raise a ThresholdSyntaxError at `at`, by default at the next piece."""
        if at is None:
            self._skip_space()
            at = self.at
        found = _VALUE.match(self.text, at)
        raise ThresholdSyntaxError(
            message, offset=at, length=length or (len(found[0]) if found else 1), hint=hint
        )

    def found(self) -> str:
        """Name what comes next, for `expected …, found …`."""
        piece = self.peek_value() or self.text[self.at : self.at + 1]
        return f"`{_short(piece)}`" if piece else "the end"

    def _peek(self, pattern: re.Pattern[str]) -> str:
        self._skip_space()
        found = pattern.match(self.text, self.at)
        return found[0] if found else ""

    def _skip_space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _no_name(self, what: str) -> NoReturn:
        if self.text[self.at : self.at + 1] in ('"', "'"):
            self.fail("the quote is never closed", self.at, length=1)
        meant = self.unquoted(self.at)
        hint = f"put a name with other characters in quotes: `{meant}`" if meant else ""
        self.fail(f"expected the name of {what}, found {self.found()}", hint=hint)


def nearest(word: str, known: Sequence[str]) -> str:
    """Return `did you mean …?` for a misspelt word, upper case included; else an empty string."""
    lower = word.lower()
    return f"did you mean `{lower}`?" if lower in known else suggest(lower, known)


def _short(piece: str) -> str:
    return piece if len(piece) <= 40 else f"{piece[:40]}..."
