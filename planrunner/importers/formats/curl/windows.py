"""A command of Windows' command line, as browsers copy it: `^` and quotes, nothing run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from planrunner.importers.formats.curl.shell import (
    Part,
    Places,
    ShellCommand,
    ShellVariable,
    ShellWord,
    joined,
)
from planrunner.importers.sources import SourceFile

__all__ = ["is_windows", "windows_commands"]

_Char = tuple[str, int]
"""A character that the program gets, and where it stands."""

_MARKS: Final = re.compile(r'(?m)^[^#\n]*\bcurl(?:\.exe)?[ \t][^\n]*?[ \t]\^(?:"|[ \t]*$)')
_GOES_ON: Final = re.compile(r"\^[ \t]*\n(\n?)")
_REDIRECTION: Final = re.compile(r'(?:>>?|<)(?:&\d|[ \t]*(?:"[^"]*"|[^\s"&|]+))')
_VARIABLE: Final = re.compile(r"%((?![0-9A-Fa-f]{2})[A-Za-z_]\w+)%")


def is_windows(file: SourceFile) -> bool:
    """Say whether a script escapes as Windows does."""
    return file.suffix in (".cmd", ".bat") or _MARKS.search(file.text) is not None


def windows_commands(file: SourceFile) -> Sequence[ShellCommand]:
    """Return the commands of a script.

    Its shell takes out `^` first, outside of quotes; then the program splits what is left into
    words, in which a quote behind a backslash, or a second one between quotes, is meant as it is.
    """
    places, found, is_piped = Places(file), list[ShellCommand](), False
    for chars, pipes in _commands(file.text):
        words = [
            ShellWord(places.of(at), joined(_parts("".join(text)))) for text, at in _words(chars)
        ]
        if words:
            found.append(ShellCommand(tuple(words), is_piped=is_piped))
            is_piped = pipes
    return found


def _commands(text: str) -> Iterator[tuple[list[_Char], bool]]:
    """Yield the characters of each command, and whether the next one reads what it prints."""
    chars, at, is_quoted = list[_Char](), 0, False
    while at < len(text):
        char, step = text[at], 1
        if char == "^" and not is_quoted:
            char, step = _escaped(text, at)
            chars += [(char, at)] if char else []
        elif char in "<>" and not is_quoted and (found := _REDIRECTION.match(text, at)):
            if len(chars) > 1 and chars[-1][0] in "012" and chars[-2][0] in " \t":
                chars.pop()
            step = found.end() - at
        elif char == "\n" or (char in "&|" and not is_quoted):
            yield chars, char == "|"
            chars, is_quoted = [], False
        else:
            is_quoted ^= char == '"'
            chars.append((char, at))
        at += step
    yield chars, False


def _escaped(text: str, at: int) -> tuple[str, int]:
    """Return what `^` stands for, and its length; at the end of a line, the line goes on."""
    end = _GOES_ON.match(text, at)
    if end is None:
        return text[at + 1 : at + 2], 2
    return end[1], end.end() - at


def _words(chars: Sequence[_Char]) -> Iterator[tuple[list[str], int]]:
    """Yield the words of a command as texts, each with where it begins."""
    text, begin, is_quoted, number = list[str](), -1, False, 0
    while number < len(chars):
        char, at = chars[number]
        number += 1
        if char in " \t" and not is_quoted:
            if begin >= 0:
                yield text, begin
            text, begin = [], -1
            continue
        begin = at if begin < 0 else begin
        if char != '"' or _is_escaped(text):
            text.append(char)
        elif is_quoted and number < len(chars) and chars[number][0] == '"':
            text.append(char)
            number += 1
        else:
            is_quoted = not is_quoted
    if begin >= 0:
        yield text, begin


def _is_escaped(text: list[str]) -> bool:
    """Say whether a quote is meant as it stands; of the backslashes before it, half stay."""
    slashes = 0
    while text and text[-1] == "\\":
        text.pop()
        slashes += 1
    text += ["\\"] * (slashes // 2)
    return slashes % 2 == 1


def _parts(text: str) -> list[Part]:
    parts, end = list[Part](), 0
    for found in _VARIABLE.finditer(text):
        parts += [text[end : found.start()], ShellVariable(found[1])]
        end = found.end()
    return [*parts, text[end:]]
