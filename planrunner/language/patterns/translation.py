"""Patterns as other engines write them: what Python's own parser read, written anew.

Nothing of the source is copied, so syntax that means something else elsewhere can't slip through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from re import _constants, _parser  # type: ignore[attr-defined]  # where Python keeps its parser
from typing import Any, ClassVar, Final

from planrunner import values
from planrunner.language.patterns.characters import (
    ASSIGNED,
    MOST_CODE,
    Ranges,
    ascii_only,
    members,
)
from planrunner.values import dataclass

__all__ = ["Tree", "Untranslatable", "Writer", "read_pattern"]

Tree = Any
"""What Python's parser gives: a list of operations, each with its argument."""

_INFINITE: Final = _constants.MAXREPEAT
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
_WORD: Final = r"[\p{L}\p{N}_]"
_PROPERTIES: Final = {
    "CATEGORY_DIGIT": r"\p{Nd}",
    "CATEGORY_NOT_DIGIT": r"\P{Nd}",
    "CATEGORY_WORD": _WORD,
    "CATEGORY_NOT_WORD": r"[^\p{L}\p{N}_]",
}
"""What `regex` looks up faster than hundreds of ranges."""

_MOST_WEIGHT: Final = 50_000
"""RE2 takes about 40 ms to compile as much."""

_LACKING: Final = {
    "ASSERT": "look-around",
    "ASSERT_NOT": "look-around",
    "GROUPREF": "a backreference",
    "GROUPREF_EXISTS": "a condition",
    "ATOMIC_GROUP": "an atomic group",
    "POSSESSIVE_REPEAT": "a possessive quantifier",
}


class Untranslatable(Exception):  # noqa: N818 - a finding
    """RE2 can't match this pattern as Python does; says what it lacks."""


def read_pattern(source: str, flags: int) -> Tree:
    """Parse a pattern that Python accepts."""
    return _parser.parse(source, flags)


@values.dataclass(frozen=True, slots=True)
class _Place:
    """Where something stands: the flags there, and whether the pattern ends with it."""

    flags: int
    is_last: bool = False


@dataclass(slots=True)
class Writer:
    """Writes one pattern for one engine, and for texts of one kind.

    Attributes:
        linear: For RE2; else for `regex`, which has all that Python has.
        finds: What is found matters, and not only whether something is.
        is_ascii: For texts within ASCII, where classes are small and word boundaries simple.
        ends_in_newline: For texts that do: `$` matches before that newline too.
        newlines: The groups that take the newline behind a `$`.
        group: The number that group 1 of the pattern has in what is written; 0 without one.
    """

    linear: bool
    finds: bool = False
    is_ascii: bool = False
    ends_in_newline: bool = False
    newlines: list[int] = field(default_factory=list)
    group: int = 0
    _groups: int = 0

    def write(self, tree: Tree, *, whole: bool) -> str:
        """Return the pattern; one of `whole` texts matches from their beginning to their end.

        Raises:
            Untranslatable: The engine can't do it, or would take too much memory.
        """
        if self.linear and self._weight(tree) > _MOST_WEIGHT:
            raise Untranslatable("a large repetition")
        written = self._sequence(tree, _Place(tree.state.flags, is_last=not whole))
        return rf"\A(?:{written}){self._end_of_text}" if whole else written

    @property
    def _end_of_text(self) -> str:
        return r"\z" if self.linear else r"\Z"

    def _sequence(self, tree: Tree, place: _Place) -> str:
        inner, last = replace(place, is_last=False), len(tree) - 1
        return "".join(
            self._one(operation, argument, place if index == last else inner)
            for index, (operation, argument) in enumerate(tree)
        )

    def _one(self, operation: Any, argument: Any, place: _Place) -> str:  # noqa: ANN401 - of Python's parser
        name = operation.name
        if self.linear and name in _LACKING:
            raise Untranslatable(_LACKING[name])
        return self._WRITERS[name](self, argument, place)

    # -- characters ------------------------------------------------------------------------

    def _literal(self, code: int, place: _Place) -> str:
        if place.flags & re.IGNORECASE:
            return self._set([(_constants.LITERAL, code)], place)
        return self._escape(code)

    def _not_literal(self, code: int, place: _Place) -> str:
        return self._set([(_constants.NEGATE, None), (_constants.LITERAL, code)], place)

    def _any(self, _: object, place: _Place) -> str:
        return "(?s:.)" if place.flags & re.DOTALL else r"[^\n]"

    def _set(self, items: Tree, place: _Place) -> str:
        names, flags = _names(items), place.flags & (re.IGNORECASE | re.ASCII)
        is_plain = not names and not flags & re.IGNORECASE
        if is_plain or (not self.linear and not flags and names <= {*_PROPERTIES}):
            return f"[{''.join(_item(item, self._escape, _PROPERTIES) for item in items)}]"
        return self._ranges(self._members(items, flags))

    def _members(self, items: Tree, flags: int) -> Ranges:
        source = f"[{''.join(_item(item, _in_python, _CATEGORIES) for item in items)}]"
        found = members(source, flags, MOST_CODE + 1 if _is_far_out(items) else ASSIGNED)
        return ascii_only(found) if self.is_ascii and self.linear else found

    def _ranges(self, ranges: Ranges) -> str:
        escape = self._escape
        if not ranges:
            return f"[^{escape(0)}-{escape(MOST_CODE)}]"
        return f"[{''.join(f'{escape(first)}-{escape(last)}' for first, last in ranges)}]"

    def _escape(self, code: int) -> str:
        """Write one character so that it stands for itself, in a set too."""
        letter = chr(code)
        if letter.isascii() and letter.isalnum():
            return letter
        return f"\\x{{{code:x}}}" if self.linear else _in_python(code)

    # -- structure -------------------------------------------------------------------------

    def _branch(self, argument: Any, place: _Place) -> str:  # noqa: ANN401 - as `re._parser` has it
        return f"(?:{'|'.join(self._sequence(branch, place) for branch in argument[1])})"

    def _subpattern(self, argument: Any, place: _Place) -> str:  # noqa: ANN401 - as `re._parser` has it
        number, added, removed, body = argument
        inside = replace(place, flags=(place.flags | added) & ~removed)
        if number is None or (self.linear and number != 1):
            return f"(?:{self._sequence(body, inside)})"
        self._groups += 1
        if number == 1:
            self.group = self._groups
        return f"({self._sequence(body, inside)})"

    def _repeat(self, argument: Any, place: _Place, suffix: str = "") -> str:  # noqa: ANN401 - as `re._parser` has it
        least, most, body = argument
        if self.linear and self.finds and most > 1 and body.getwidth()[0] == 0:
            raise Untranslatable("a repetition of what can be empty")
        inside = replace(place, is_last=place.is_last and most == 1)
        return f"(?:{self._sequence(body, inside)}){_times(int(least), most)}{suffix}"

    def _lazy_repeat(self, argument: Any, place: _Place) -> str:  # noqa: ANN401 - as `re._parser` has it
        return self._repeat(argument, place, "?")

    def _failure(self, _: object, _place: _Place) -> str:
        return self._ranges(())

    # -- places ----------------------------------------------------------------------------

    def _at(self, where: Any, place: _Place) -> str:  # noqa: ANN401 - as `re._parser` has it
        is_multiline = place.flags & re.MULTILINE
        match where.name:
            case "AT_BEGINNING":
                return "(?m:^)" if is_multiline else r"\A"
            case "AT_BEGINNING_STRING":
                return r"\A"
            case "AT_END":
                return "(?m:$)" if is_multiline else self._end(place)
            case "AT_END_STRING":
                return self._end_of_text
            case name:
                return self._boundary(place, is_negated=name == "AT_NON_BOUNDARY")

    def _end(self, place: _Place) -> str:
        if not self.linear:
            return r"(?=\n?\Z)"
        if not self.ends_in_newline:
            return r"\z"
        # RE2 can't look ahead, so it takes the newline, which nothing behind the `$` may need.
        if not place.is_last:
            raise Untranslatable("`$` before the end of the pattern")
        self._groups += 1
        self.newlines.append(self._groups)
        return r"(\n)?\z"

    def _boundary(self, place: _Place, *, is_negated: bool) -> str:
        is_simple = self.is_ascii or place.flags & re.ASCII
        if self.linear:
            if not is_simple:
                raise Untranslatable("word boundaries beyond ASCII")
            return r"\B" if is_negated else r"\b"
        word = "[A-Za-z0-9_]" if is_simple else _WORD
        if is_negated:
            return f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))"
        return f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"

    # -- what only `regex` has ---------------------------------------------------------------

    def _look(self, argument: Any, place: _Place, sign: str = "=") -> str:  # noqa: ANN401 - as `re._parser` has it
        direction, body = argument
        return f"(?{'<' if direction < 0 else ''}{sign}{self._sequence(body, place)})"

    def _look_not(self, argument: Any, place: _Place) -> str:  # noqa: ANN401 - as `re._parser` has it
        return self._look(argument, place, "!")

    def _reference(self, number: int, place: _Place) -> str:
        return rf"(?{'i' if place.flags & re.IGNORECASE else ''}:\g<{number}>)"

    def _condition(self, argument: Any, place: _Place) -> str:  # noqa: ANN401 - as `re._parser` has it
        number, yes, no = argument
        otherwise = "" if no is None else f"|{self._sequence(no, place)}"
        return f"(?({number}){self._sequence(yes, place)}{otherwise})"

    def _atomic(self, body: Tree, place: _Place) -> str:
        return f"(?>{self._sequence(body, place)})"

    def _possessive_repeat(self, argument: Any, place: _Place) -> str:  # noqa: ANN401 - as `re._parser` has it
        return self._repeat(argument, place, "+")

    _WRITERS: ClassVar[Mapping[str, Callable[[Writer, Any, _Place], str]]] = {
        "LITERAL": _literal,
        "NOT_LITERAL": _not_literal,
        "ANY": _any,
        "IN": _set,
        "BRANCH": _branch,
        "SUBPATTERN": _subpattern,
        "MAX_REPEAT": _repeat,
        "MIN_REPEAT": _lazy_repeat,
        "POSSESSIVE_REPEAT": _possessive_repeat,
        "FAILURE": _failure,
        "AT": _at,
        "ASSERT": _look,
        "ASSERT_NOT": _look_not,
        "GROUPREF": _reference,
        "GROUPREF_EXISTS": _condition,
        "ATOMIC_GROUP": _atomic,
    }

    # -- size --------------------------------------------------------------------------------

    def _weight(self, tree: Tree) -> int:
        """Return about how many states a pattern has in an engine that unrolls repetitions."""
        return sum(self._weight_of(operation.name, argument, tree) for operation, argument in tree)

    def _weight_of(self, name: str, argument: Any, tree: Tree) -> int:  # noqa: ANN401 - as `re._parser` has it
        match name:
            case "IN" if _names(argument):
                return 2 * len(self._members(argument, tree.state.flags & re.ASCII))
            case "IN":
                return len(argument)
            case "BRANCH":
                return sum(map(self._weight, argument[1]))
            case "SUBPATTERN":
                return self._weight(argument[3])
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, body = argument
                return int(least + 1 if most == _INFINITE else most) * self._weight(body)
            case _:
                return 1


def _times(least: int, most: Any) -> str:  # noqa: ANN401 - a number, or Python's own for no limit
    if most == _INFINITE:
        return {0: "*", 1: "+"}.get(least, f"{{{least},}}")
    return "?" if (least, most) == (0, 1) else f"{{{least},{int(most)}}}"


def _in_python(code: int) -> str:
    return f"\\U{code:08x}"


def _names(items: Tree) -> set[str]:
    """Return the classes in a set."""
    return {argument.name for operation, argument in items if operation.name == "CATEGORY"}


def _item(item: Any, escape: Callable[[int], str], classes: Mapping[str, str]) -> str:  # noqa: ANN401 - as `re._parser` has it
    operation, argument = item
    match operation.name:
        case "NEGATE":
            return "^"
        case "LITERAL":
            return escape(argument)
        case "RANGE":
            return f"{escape(argument[0])}-{escape(argument[1])}"
        case _:
            return classes[argument.name]


def _is_far_out(items: Tree) -> bool:
    """Say whether a set names characters where there are no letters."""
    literals = (argument for operation, argument in items if operation.name == "LITERAL")
    ends = (argument[1] for operation, argument in items if operation.name == "RANGE")
    return max((*literals, *ends), default=0) >= ASSIGNED
