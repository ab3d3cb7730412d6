"""JMeter's `${…}` in texts → expressions of a plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from planrunner.importers.formats.jmx.texts.variables import JmxValue, JmxVariables, quoted
from planrunner.importers.templates import literal
from planrunner.loss.ledger import Construct
from planrunner.values import dataclass

__all__ = ["JmxCall", "JmxReference", "JmxResolver", "JmxUnknown", "references", "split_text"]

_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class JmxReference:
    """A `${…}`: a variable, or a function with its arguments as they are written.

    Attributes:
        source: All of it, as it stands.
    """

    name: str
    arguments: tuple[str, ...] | None
    source: str


def split_text(text: str) -> list[str | JmxReference]:
    """Return a text as pieces: plain ones, and references."""
    if "${" not in text:
        return [text]
    parts: list[str | JmxReference] = []
    plain: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and text[at + 1 : at + 2] in ("$", ",", "\\"):
            plain.append(text[at + 1])
            at += 2
        elif text.startswith("${", at) and (end := _end(text, at + 2)) > 0:
            if plain:
                parts.append("".join(plain))
                plain = []
            parts.append(_reference(text[at:end]))
            at = end
        else:
            plain.append(char)
            at += 1
    return [*parts, "".join(plain)] if plain else parts


def references(text: str) -> Iterator[JmxReference]:
    """Yield all references of a text, those within arguments too."""
    for part in split_text(text):
        if isinstance(part, JmxReference):
            yield part
            for one in part.arguments or ():
                if len(one) < len(text):
                    yield from references(one)


class JmxUnknown(Exception):  # noqa: N818 - it is no error of ours
    """A call can't be translated; the text says why, if there is anything to say."""


@dataclass(slots=True)
class JmxCall:
    """A call with its arguments."""

    resolver: JmxResolver
    arguments: tuple[str, ...]
    construct: Construct
    depth: int

    def raw(self, number: int, default: str = "") -> str:
        """Return an argument as it is written."""
        return self.arguments[number] if number < len(self.arguments) else default

    def value(self, number: int) -> JmxValue:
        """Return an argument as an expression."""
        return self.resolver.expression(self.raw(number), self.construct, self.depth)

    def text(self, number: int) -> str:
        """Return an argument as an expression that a filter can follow."""
        return f"({self.value(number).code})"

    def whole(self, number: int) -> str:
        """Return an argument as a whole number."""
        raw = self.raw(number).strip()
        if re.fullmatch(r"-?\d+", raw):
            return str(int(raw))
        value = self.value(number)
        return value.code if value.kind == "int" else f"(({value.code}) | int)"

    def named(self, number: int, value: JmxValue) -> JmxValue:
        """Return a value that an argument, if it is there, names as a variable."""
        raw = self.raw(number).strip()
        if not raw or "${" in raw:
            return value
        name = self.resolver.variables.set(raw)
        self.resolver.variables.pending.append((name, value.code))
        return JmxValue(name, value.kind)


class JmxResolver:
    """Translates texts of one thread group; what it can't is judged at its property."""

    def __init__(
        self, variables: JmxVariables, calls: Mapping[str, Callable[[JmxCall], JmxValue]]
    ) -> None:
        self._calls = calls
        self.variables: JmxVariables = variables

    def text(self, text: str, construct: Construct) -> str:
        """Return a text of a plan."""
        done: list[str] = []
        for part in split_text(text):
            if isinstance(part, str):
                done.append(literal(part))
            else:
                value = self.value(part, construct)
                if value is not None and done and done[-1].endswith("$"):
                    done[-1] = f"{done[-1][:-1]}${{'$'}}"
                done.append(literal(part.source) if value is None else f"${{{value.code}}}")
        return "".join(done)

    def is_static(self, text: str, construct: Construct) -> bool:
        """Say whether a text is known before the run: it reads params only."""
        values = [
            self.value(one, construct) for one in split_text(text) if not isinstance(one, str)
        ]
        return all(one is None or one.is_static for one in values)

    def expression(self, text: str, construct: Construct, depth: int = 0) -> JmxValue:
        """Return a text as an expression: one value, or several joined."""
        parts = split_text(text)
        if len(parts) == 1 and not isinstance(parts[0], str):
            found = self.value(parts[0], construct, depth + 1)
            return found if found is not None else JmxValue(quoted(parts[0].source), "text")
        codes, is_static = [], True
        for part in parts:
            if isinstance(part, str):
                codes.append(quoted(part))
                continue
            value = self.value(part, construct, depth + 1)
            codes.append(quoted(part.source) if value is None else f"({value.code})")
            is_static = is_static and (value is None or value.is_static)
        return JmxValue(" ~ ".join(codes) or "''", "text", is_static)

    def value(self, part: JmxReference, construct: Construct, depth: int = 0) -> JmxValue | None:
        """Return what a reference stands for; None leaves it as it is, judged."""
        if part.arguments is None and not part.name.startswith("__"):
            found = self.variables.find(part.name)
            if found is None:
                self.variables.unset(part.name, construct)
            return found
        try:
            if depth > _DEEPEST:
                raise JmxUnknown
            return self._calls[part.name](JmxCall(self, part.arguments or (), construct, depth))
        except (KeyError, JmxUnknown) as unknown:
            why = str(unknown) if isinstance(unknown, JmxUnknown) else ""
            construct.changed(
                why or f"`{_shown(part.source)}` is sent as it stands; write an expression for it"
            )
            return None


def _shown(source: str) -> str:
    return " ".join(source.replace("`", "'").split())[:60]


def _end(text: str, at: int) -> int:
    """Return where a reference that begins before `at` ends; 0 if it doesn't."""
    depth = 1
    limit = min(len(text), at + 20_000)
    while at < limit and depth <= _DEEPEST:
        if text[at] == "\\":
            at += 1
        elif text.startswith("${", at):
            depth += 1
            at += 1
        elif text[at] == "{" and depth:
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return 0


def _reference(source: str) -> JmxReference:
    inside = source[2:-1].strip()
    name, bracket, rest = inside.partition("(")
    if not inside.startswith("__"):
        return JmxReference(inside, None, source)
    if not bracket:
        return JmxReference(inside, (), source)
    return JmxReference(name.strip(), tuple(_arguments(rest.rstrip().removesuffix(")"))), source)


def _arguments(text: str) -> Iterator[str]:
    """Yield the arguments of a function: commas within `${…}` or brackets divide nothing."""
    if not text.strip():
        return
    depth, begin, at = 0, 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] in "({":
            depth += 1
        elif text[at] in ")}":
            depth -= 1
        elif text[at] == "," and depth <= 0:
            yield _unescaped(text[begin:at])
            begin = at + 1
        at += 1
    yield _unescaped(text[begin:])


def _unescaped(text: str) -> str:
    """Return an argument without the backslashes before its commas."""
    return text.strip().replace("\\,", ",")
