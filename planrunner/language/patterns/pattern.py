"""One regular expression of a plan: Python's syntax and results, in bounded time.

Nearly all patterns run on RE2, whose time grows with the text and nothing else. The others run on
`regex`, which backtracks as Python does and gives up after `LIMIT_MS` of processor time.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from enum import Enum
from time import process_time_ns
from typing import TYPE_CHECKING, Any, Final

from planrunner.errors import PlanrunnerError
from planrunner.language.expressions.values import EvaluationError
from planrunner.units import NS_PER_MS
from planrunner.values import dataclass

if TYPE_CHECKING:  # a plan without a pattern doesn't need it
    from planrunner.language.patterns.translation import Tree

__all__ = ["LIMIT_MS", "Finds", "MatchTimeoutError", "Pattern", "PatternError", "compile_pattern"]

LIMIT_MS: Final = 250
"""Of processor time, for one text: the loop stands still meanwhile."""

_MOST_STEPS: Final = 250_000_000
"""Of RE2 at its slowest, for one text: instructions of its program, times bytes.

One takes up to 8 ns, so that is two seconds; nearly always RE2 needs a thousandth. A longer text is
left to the engine that gives up.
"""

_UNICODE_PRICE: Final = 10
"""A class has hundreds of ranges, of which a byte concerns a few."""


class Finds(Enum):
    """What is asked of a pattern: more is harder to give as Python does."""

    WHETHER = "whether"
    FIRST = "first"
    ALL = "all"


class PatternError(PlanrunnerError):
    """A text is no regular expression."""


class MatchTimeoutError(EvaluationError):
    """A pattern was looked for in one text for longer than it may be."""

    def __init__(self) -> None:
        super().__init__(f"took over {LIMIT_MS} ms of processor time")


@dataclass(frozen=True, slots=True)
class _Program:
    """A pattern for RE2, for texts of one kind.

    Attributes:
        group: What is found: group 1, or 0 for all of a match.
        newlines: The groups that hold a newline which `$` only looks at.
        price: What its slowest way costs for each byte, at least.
        most: Characters of a text that it finishes in time, at its slowest.
    """

    regexp: Any
    group: int
    newlines: tuple[int, ...]
    price: int
    most: int

    def value(self, match: Any) -> bytes | None:  # noqa: ANN401 - RE2's match
        value: bytes | None = match[self.group]
        took_newline = any(match[number] is not None for number in self.newlines)
        # It was taken last, so whatever ends with the text holds it.
        if value and took_newline and match.end(self.group) == match.endpos:
            return value[:-1]
        return value


class Pattern:
    """Made by `compile_pattern`.

    Attributes:
        source: As the plan has it.
        lacks: What RE2 lacks of it, whatever the text; empty for nearly every pattern.
    """

    __slots__ = ("_finds", "_programs", "_slow", "_tree", "_whole", "lacks", "source")

    def __init__(self, source: str, tree: Tree, finds: Finds, *, whole: bool) -> None:
        self.source = source
        self._tree = tree
        self._finds = finds
        self._whole = whole
        self._slow: Any = None
        self._programs: dict[tuple[bool, bool], _Program | None] = {}
        self.lacks = self._prepare()

    def __repr__(self) -> str:
        return f"Pattern({self.source!r})"

    def is_in(self, text: str) -> bool:
        """Say whether the pattern matches somewhere in the text.

        Raises:
            MatchTimeoutError: It isn't known in time.
        """
        program, data = self._program_for(text)
        if program is not None:
            return program.regexp.search(data) is not None
        try:
            return self._backtracking().search(text, timeout=LIMIT_MS / 1000) is not None
        except TimeoutError as error:
            raise MatchTimeoutError from error

    def find(self, text: str) -> Iterator[str]:
        """Yield group 1 of each match that has one, or all of each match without groups.

        Raises:
            MatchTimeoutError: There is more to find than time.
        """
        program, data = self._program_for(text)
        if program is None:
            yield from self._find_slowly(text)
            return
        until_ns = process_time_ns() + LIMIT_MS * NS_PER_MS
        for match in program.regexp.finditer(data):
            if (value := program.value(match)) is not None:
                yield value.decode()
            elif match.start() == match.end():
                # What may follow an empty match differs. Nothing was found before it: a pattern
                # that can be empty has a program only where the first find is all that is asked.
                yield from self._find_slowly(text)
                return
            if process_time_ns() > until_ns:
                raise MatchTimeoutError

    def _find_slowly(self, text: str) -> Iterator[str]:
        group = min(1, self._tree.state.groups - 1)
        try:
            for match in self._backtracking().finditer(text, timeout=LIMIT_MS / 1000):
                if match[group] is not None:
                    yield match[group]
        except TimeoutError as error:
            raise MatchTimeoutError from error

    def _program_for(self, text: str) -> tuple[_Program | None, bytes]:
        program = self._programs[text.isascii(), text.endswith("\n")]
        if program is None or len(text) > program.most:
            return None, b""
        try:
            return program, text.encode()
        except UnicodeEncodeError:  # half a character, as JSON may have
            return None, b""

    def _prepare(self) -> str:
        """Compile for every kind of text, so that no request waits for it."""
        kinds = [(True, False), (True, True), (False, False), (False, True)]
        lacks = [self._compile(*kind) for kind in kinds]
        if any(lacks):
            self._backtracking()
        return lacks[0]

    def _compile(self, is_ascii: bool, ends_in_newline: bool) -> str:  # noqa: FBT001 - a kind
        """Compile for one kind of text; return what RE2 lacks for it."""
        from planrunner.language.patterns.translation import Untranslatable  # noqa: PLC0415 - plans without a pattern need none of it

        try:
            program = self._program(is_ascii=is_ascii, ends_in_newline=ends_in_newline)
        except Untranslatable as lacking:
            self._programs[is_ascii, ends_in_newline] = None
            return str(lacking)
        self._programs[is_ascii, ends_in_newline] = program
        return ""

    def _program(self, *, is_ascii: bool, ends_in_newline: bool) -> _Program:
        import re2  # noqa: PLC0415 - 5 ms that plans without a pattern need not pay

        from planrunner.language.patterns.translation import (  # noqa: PLC0415 - as above
            Untranslatable,
            Writer,
        )

        if self._finds is Finds.ALL and self._tree.getwidth()[0] == 0:
            raise Untranslatable("matches that can be empty")
        finds = self._finds is not Finds.WHETHER
        writer = Writer(
            linear=True, finds=finds, is_ascii=is_ascii, ends_in_newline=ends_in_newline
        )
        written = writer.write(self._tree, whole=self._whole)
        options = re2.Options()
        options.log_errors = False
        options.never_capture = not finds
        try:
            regexp = re2.compile(written, options)
        except re2.error as error:
            raise Untranslatable("a repetition as large as that") from error
        newlines = tuple(writer.newlines) if finds else ()
        plain = self._programs.get((True, False))
        price = regexp.programsize if plain is None else plain.price
        most = _MOST_STEPS // (price * (1 if is_ascii else _UNICODE_PRICE))
        return _Program(regexp, writer.group if finds else 0, newlines, price, most)

    def _backtracking(self) -> Any:  # noqa: ANN401 - regex.Pattern
        if self._slow is None:
            import regex  # noqa: PLC0415 - 12 ms that nearly no plan needs

            from planrunner.language.patterns.translation import Writer  # noqa: PLC0415 - plans without a pattern need none of it

            written = Writer(linear=False).write(self._tree, whole=self._whole)
            self._slow = regex.compile(written, regex.VERSION1)
        return self._slow


def compile_pattern(
    source: str, finds: Finds = Finds.WHETHER, *, multiline: bool = False, whole: bool = False
) -> Pattern:
    """Compile a regular expression in Python's syntax.

    Args:
        source: The pattern.
        finds: What is asked of it.
        multiline: `^` and `$` match at the ends of lines too.
        whole: It has to match all of the text.

    Raises:
        PatternError: It isn't one; says why.
    """
    from planrunner.language.patterns.translation import read_pattern  # noqa: PLC0415 - plans without a pattern need none of it

    flags = re.MULTILINE if multiline else 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of syntax that may change
            re.compile(source, flags)
            tree = read_pattern(source, flags)
        return Pattern(source, tree, finds, whole=whole)
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(str(error)) from error
