"""A script of a shell as commands of words with places; nothing is expanded or run."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from typing import Final

from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import SourcePlace
from planrunner.values import dataclass

__all__ = [
    "Part",
    "Places",
    "ShellCommand",
    "ShellOutput",
    "ShellVariable",
    "ShellWord",
    "commands",
    "joined",
]

_DEEPEST: Final = 8
"""Levels of commands in commands that are read."""

_SPACE: Final = re.compile(r"(?:[ \t]|\\\n|`\n)+")
_COMMENT: Final = re.compile(r"#[^\n]*")
_END: Final = re.compile(r"\n|;;?|&&|&(?!>)|\|[|&]?")
_REDIRECTION: Final = re.compile(r"(?:\d+|&)?(?:<<<|<<-?|>>|>\||>&|<&|<>|<|>)[ \t]*")
_FUNCTION: Final = re.compile(r"(?:function[ \t]+)?[A-Za-z_][\w-]*[ \t]*\(\)\s*")
_HERE: Final = re.compile(r"""['"]?([\w.-]+)['"]?""")
_PLAIN: Final = re.compile(r"[^\s'\"\\$;&|`<>]+")
_SINGLE: Final = re.compile(r"'([^']*)(?:'|\Z)")
_ANSI: Final = re.compile(r"\$'((?:[^'\\]|\\.)*)(?:'|\Z)", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?::?[-=]([^{}]*))?\}|(\w+))")
_COMPUTED: Final = re.compile(r"\$(?:\{[^}]*\}|\(\(.*?\)\)|[@*?#!$-])", re.DOTALL)
_ESCAPES: Final = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b",
    "f": "\f", "v": "\v",
}  # fmt: skip
_ANSI_ESCAPE: Final = re.compile(
    r"\\(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ShellVariable:
    """A variable, and what stands for it where it is not set."""

    name: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class ShellOutput:
    """What only a shell knows: what commands print, what is calculated."""

    source: str
    commands: tuple[ShellCommand, ...] = ()


Part = str | ShellVariable | ShellOutput


@dataclass(frozen=True, slots=True)
class ShellWord:
    """A word of a command, of text and of what a shell puts in."""

    place: SourcePlace
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """It, with variables as the script has them."""
        return "".join(map(_source_of, self.parts))


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return parts, of which neighbouring texts are one."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(before := found[-1], str):
            found[-1] = before + part
        elif part or not found:
            found.append(part)
    return tuple(found)


def _source_of(part: Part) -> str:
    if isinstance(part, str):
        return part
    return f"${{{part.name}}}" if isinstance(part, ShellVariable) else part.source


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """A command.

    Attributes:
        stdin: What it reads: a text, or the name of a file.
        stdin_is_file: Which of both.
        is_piped: Whether it reads what the command before it prints.
    """

    words: tuple[ShellWord, ...] = field(default_factory=tuple)
    stdin: ShellWord | None = None
    stdin_is_file: bool = False
    is_piped: bool = False


class Places:
    """Lines and columns of offsets in a file."""

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self._starts = [0, *(found.end() for found in re.finditer("\n", file.text))]

    def of(self, at: int) -> SourcePlace:
        line = bisect_right(self._starts, at)
        return self._file.place(line, at - self._starts[line - 1] + 1)


def commands(file: SourceFile) -> Sequence[ShellCommand]:
    """Return the commands of a script, in their order."""
    return _ShellScript(file.text, Places(file), 0, len(file.text), 0).read()


class _ShellScript:
    """A part of a script: all of it, or what stands in `$(…)`."""

    def __init__(self, text: str, places: Places, at: int, end: int, depth: int) -> None:
        self._text, self._places, self._at, self._end, self._depth = text, places, at, end, depth
        self._found: list[ShellCommand] = []
        self._words: list[ShellWord] = []
        self._stdin: ShellWord | None = None
        self._stdin_is_file = self._is_piped = False
        self._here: list[tuple[str, bool]] = []

    def read(self) -> Sequence[ShellCommand]:
        while self._at < self._end:
            if self._skip(_SPACE) or (self._begins_word() and self._skip(_COMMENT)):
                continue
            if not self._words and self._skip(_FUNCTION):
                continue
            if found := _REDIRECTION.match(self._text, self._at, self._end):
                self._redirect(found)
            elif found := _END.match(self._text, self._at, self._end):
                self._at = found.end()
                if found[0] == "\n":
                    self._read_here()
                self._finish(pipes=found[0] in ("|", "|&"))
            elif self._text[self._at] in "()" and self._begins_word():
                self._at += 1
                self._finish()
            else:
                self._words.append(self._word())
        self._finish()
        return self._found

    def _begins_word(self) -> bool:
        before = self._text[self._at - 1 : self._at] if self._at else " "
        return not self._words or before.isspace() or before in "();|&"

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self._text, self._at, self._end)
        if found is not None:
            self._at = found.end()
        return found is not None

    def _finish(self, *, pipes: bool = False) -> None:
        if self._words:
            self._found.append(
                ShellCommand(tuple(self._words), self._stdin, self._stdin_is_file, self._is_piped)
            )
            self._is_piped = pipes
        self._words, self._stdin, self._stdin_is_file = [], None, False

    def _redirect(self, found: re.Match[str]) -> None:
        """Read where input comes from; where output goes is nobody's business."""
        self._at = found.end()
        kind = found[0].strip().lstrip("0123456789&")
        if kind.startswith("<<") and kind != "<<<":
            if here := _HERE.match(self._text, self._at, self._end):
                self._here.append((here[1], here[0] != here[1]))
                self._at = here.end()
            return
        if self._at >= self._end or _END.match(self._text, self._at, self._end):
            return
        word = self._word()
        if kind in ("<", "<<<"):
            text = word if kind == "<" else ShellWord(word.place, (*word.parts, "\n"))
            self._stdin, self._stdin_is_file = text, kind == "<"

    def _read_here(self) -> None:
        """Read the texts that stand below a line with `<<`; the last one is what is read."""
        for mark, is_quoted in self._here:
            end = re.compile(rf"^\t*{re.escape(mark)}[ \t]*$", re.MULTILINE)
            found = end.search(self._text, self._at, self._end)
            stop, after = (found.start(), found.end()) if found else (self._end, self._end)
            begin = self._at
            parts = [self._text[begin:stop]] if is_quoted else [*self._expanded(begin, stop)]
            self._stdin = ShellWord(self._places.of(begin), joined(parts))
            self._stdin_is_file = False
            self._at = min(after + 1, self._end)
        self._here = []

    def _word(self) -> ShellWord:
        begin, parts = self._at, list[Part]()
        while self._at < self._end:
            char = self._text[self._at]
            if char in " \t\n;&|<>" or (char == ")" and not parts):
                break
            if self._text.startswith(("\\\n", "`\n"), self._at):
                break
            parts += self._piece(char)
        if self._at == begin:  # a lone `)`, or nothing that a word can begin with
            parts, self._at = [self._text[begin]], begin + 1
        return ShellWord(self._places.of(begin), joined(parts))

    def _piece(self, char: str) -> Iterator[Part]:
        text, at = self._text, self._at
        if found := _ANSI.match(text, at, self._end):
            self._at = found.end()
            yield _unescaped(found[1])
        elif char == "'" and (found := _SINGLE.match(text, at, self._end)):
            self._at = found.end()
            yield found[1]
        elif char == '"':
            end = _closing(text, at, self._end)
            self._at = min(end + 1, self._end)
            yield ""
            yield from self._expanded(at + 1, end)
        elif char == "\\":
            self._at = at + 2
            yield text[at + 1 : at + 2]
        elif char in "$`":
            parts, self._at = self._put_in(at, self._end)
            yield from parts
        else:
            found = _PLAIN.match(text, at, self._end)
            self._at = found.end() if found else at + 1
            yield found[0] if found else char

    def _expanded(self, at: int, end: int) -> Iterator[Part]:
        """Yield the parts of what stands in double quotes."""
        plain = at
        while at < end:
            char = self._text[at]
            if char == "\\" and self._text[at + 1 : at + 2] in ("\\", '"', "$", "`", "\n"):
                yield self._text[plain:at]
                plain = at + 2 if self._text[at + 1] == "\n" else at + 1
                at += 2
            elif char in "$`":
                parts, after = self._put_in(at, end)
                yield self._text[plain:at]
                yield from parts
                plain = at = after
            else:
                at += 1
        yield self._text[plain:end]

    def _put_in(self, at: int, end: int) -> tuple[Sequence[Part], int]:
        """Return what a shell puts where a `$` or a back tick stands, and the offset behind it."""
        text = self._text
        if found := _VARIABLE.match(text, at, end):
            return [ShellVariable(found[1] or found[3], found[2] or "")], found.end()
        if found := _COMPUTED.match(text, at, end):
            return [ShellOutput(found[0])], found.end()
        if text.startswith("$(", at) or text[at] == "`":
            inner = at + (2 if text[at] == "$" else 1)
            close = _closing(text, at, end)
            after = min(close + 1, end)
            below: Sequence[ShellCommand] = ()
            if self._depth < _DEEPEST:
                below = _ShellScript(text, self._places, inner, close, self._depth + 1).read()
            if (here := _text_of_cat(below)) is not None:
                return here, after
            return [ShellOutput(text[at:after], tuple(below))], after
        return [text[at]], at + 1


def _text_of_cat(commands: Sequence[ShellCommand]) -> Sequence[Part] | None:
    """Return the text of `cat <<END`; None for other commands."""
    only = commands[0] if len(commands) == 1 else None
    if only is None or only.stdin is None or only.stdin_is_file:
        return None
    if [word.text for word in only.words] != ["cat"]:
        return None
    *before, last = only.stdin.parts
    return [*before, last.rstrip("\n") if isinstance(last, str) else last]


_MARK: Final = re.compile(r"\\.|\$\(|[\"'()`]|(?<!<)<<-?[ \t]*['\"]?(\w+)['\"]?", re.DOTALL)


def _closing(text: str, at: int, end: int) -> int:
    """Return where a quote, `$(` or a back tick closes that stands at an offset; else the end."""
    first = "(" if text.startswith("$(", at) else text[at]
    stack, at = [first], at + (2 if first == "(" else 1)
    while found := _MARK.search(text, at, end):
        at, mark, top = found.end(), found[0], stack[-1]
        if found[1] is not None:
            at = _behind_here(text, at, end, found[1]) if top == "(" else at
            continue
        if mark == (")" if top == "(" else top):
            stack.pop()
            if not stack:
                return found.start()
        elif mark == "$(" or (mark == "(" and top == "("):
            stack.append("(")
        elif mark in ('"', "`") and top == "(":
            stack.append(mark)
        elif mark == "'" and top == "(":
            close = text.find("'", at, end)
            at = end if close < 0 else close + 1
    return end


def _behind_here(text: str, at: int, end: int, mark: str) -> int:
    """Return the offset behind a text that stands below a line with `<<`."""
    found = re.compile(rf"^\t*{re.escape(mark)}[ \t]*$", re.MULTILINE).search(text, at, end)
    return found.end() if found else at


def _unescaped(text: str) -> str:
    """Return the text of `$'…'`: its escapes are characters, or bytes of UTF-8."""
    found = bytearray()
    end = 0
    for escape in _ANSI_ESCAPE.finditer(text):
        found += text[end : escape.start()].encode("utf-8", "surrogatepass")
        end = escape.end()
        code = escape[1] or escape[2]
        if code:
            found += chr(min(int(code, 16), 0x10FFFF)).encode("utf-8", "surrogatepass")
        elif escape[3] or escape[4]:
            found.append(int(escape[3] or escape[4], 16 if escape[3] else 8) & 0xFF)
        else:
            found += _ESCAPES.get(escape[5], escape[5]).encode("utf-8", "surrogatepass")
    found += text[end:].encode("utf-8", "surrogatepass")
    try:
        plain = found.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        plain = found.decode("latin-1")
    # Two halves of a character are one.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
