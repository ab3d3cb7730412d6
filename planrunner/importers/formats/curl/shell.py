"""A script of a shell as commands of words with places; nothing is expanded or run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import SourcePlace
from planrunner.values import dataclass

__all__ = ["ShellWord", "commands"]

_Part = str | tuple[str, str]

_ENDS: Final = re.compile(r"\n|;|&&?|\|\|?")
_SPACE: Final = re.compile(r"(?:[ \t]|\\\n|\^\n|`\n)+")
_COMMENT: Final = re.compile(r"#[^\n]*")
_PLAIN: Final = re.compile(r"[^\s'\"\\$;&|^`]+")
_SINGLE: Final = re.compile(r"'([^']*)(?:'|\Z)")
_ANSI: Final = re.compile(r"\$'((?:[^'\\]|\\.)*)(?:'|\Z)", re.DOTALL)
_DOUBLE: Final = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\Z)', re.DOTALL)
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")
_SUBSTITUTION: Final = re.compile(r"\$\([^)]*\)?|`[^`]*`?")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "e": "\x1b"}
_ANSI_ESCAPE: Final = re.compile(
    r"\\(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|x([0-9a-fA-F]{1,2})|(.))", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class ShellWord:
    """A word of a command.

    Attributes:
        parts: Text, and the shell's variables as `("NAME", default)`; a command whose output
            would stand there is `("", the command)`.
    """

    place: SourcePlace
    parts: tuple[_Part, ...]

    @property
    def text(self) -> str:
        """It, with variables as the script has them."""
        return "".join(
            one if isinstance(one, str) else f"${{{one[0]}}}" if one[0] else one[1]
            for one in self.parts
        )


def commands(file: SourceFile) -> Iterator[list[ShellWord]]:
    """Yield the commands of a script, each as its words."""
    text, at, line, counted = file.text, 0, 1, 0
    words: list[ShellWord] = []
    while at < len(text):
        if found := _SPACE.match(text, at):
            at = found.end()
            continue
        if (not words or text[at - 1].isspace()) and (found := _COMMENT.match(text, at)):
            at = found.end()
        elif found := _ENDS.match(text, at):
            at = found.end()
            if words:
                yield words
            words = []
        else:
            line += text.count("\n", counted, at)
            counted = at
            parts, end = _word(text, at)
            column = at - (text.rfind("\n", 0, at) + 1) + 1
            words.append(ShellWord(file.place(line, column), tuple(parts)))
            at = end
    if words:
        yield words


def _word(text: str, at: int) -> tuple[list[_Part], int]:
    parts: list[_Part] = []
    while at < len(text) and not _SPACE.match(text, at) and not _ENDS.match(text, at):
        for pattern, read in _PIECES:
            if found := pattern.match(text, at):
                parts += read(found)
                at = found.end()
                break
    return parts, at


def _double(text: str) -> Iterator[_Part]:
    """Yield the parts of a text in double quotes."""
    end = 0
    pattern = rf"\\([\\\"$`]|\n)|(?P<v>{_VARIABLE.pattern})|(?P<s>{_SUBSTITUTION.pattern})"
    for found in re.finditer(pattern, text):
        yield text[end : found.start()]
        end = found.end()
        if found["v"]:
            variable = _VARIABLE.match(found["v"])
            assert variable is not None, "the pattern matched it"
            yield variable[1] or variable[3], variable[2] or ""
        elif found["s"]:
            yield "", found["s"]
        elif found[1] != "\n":
            yield found[1]
    yield text[end:]


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        return chr(min(int(code, 16), 0x10FFFF))
    return _ESCAPES.get(found[4], found[4])


_PIECES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterable[_Part]]], ...]] = (
    (_ANSI, lambda found: [_ANSI_ESCAPE.sub(_unescaped, found[1])]),
    (_SINGLE, lambda found: [found[1]]),
    (_DOUBLE, lambda found: _double(found[1])),
    (_VARIABLE, lambda found: [(found[1] or found[3], found[2] or "")]),
    (_SUBSTITUTION, lambda found: [("", found[0])]),
    (re.compile(r"[\\^](.)", re.DOTALL), lambda found: [found[1]]),
    (_PLAIN, lambda found: [found[0]]),
    (re.compile(r".", re.DOTALL), lambda found: [found[0]]),
)
