"""The tests of a script in chai's words: `pm.expect(x).to.eql(1)`, `pm.response.to.have…`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from planrunner.importers.formats.postman.scripts.tests import (
    OPPOSITE,
    ConditionReader,
    plain_pattern,
)
from planrunner.importers.formats.postman.scripts.values import ValueReader
from planrunner.importers.javascript.chains import Chain, ChainLink
from planrunner.importers.javascript.constants import NOT_CONSTANT
from planrunner.importers.javascript.expectations import (
    NO_RULE,
    ExpectedReply,
    NotExpectable,
)
from planrunner.importers.javascript.reply_values import ScriptValue

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["AssertionReader"]

_FILLERS: Final = frozenset(
    {
        *("to", "be", "been", "is", "that", "which", "and", "has", "have", "with", "at", "of"),
        *("same", "but", "does", "still", "also", "deep", "own", "all", "any", "nested"),
    }
)
_STATUSES: Final[dict[str, list[object]]] = {
    "ok": ["2xx"],
    "success": ["2xx"],
    "redirection": ["3xx"],
    "clientError": ["4xx"],
    "serverError": ["5xx"],
    "error": ["4xx", "5xx"],
    "accepted": [202],
    "badRequest": [400],
    "unauthorized": [401],
    "unauthorised": [401],
    "forbidden": [403],
    "notFound": [404],
    "notAcceptable": [406],
    "rateLimited": [429],
}
_BOUNDS: Final = {
    **dict.fromkeys(("below", "lessThan", "lt"), "<"),
    **dict.fromkeys(("most", "lte", "atMost", "lessThanOrEqual"), "<="),
    **dict.fromkeys(("above", "greaterThan", "gt"), ">"),
    **dict.fromkeys(("least", "gte", "atLeast", "greaterThanOrEqual"), ">="),
}
_EQUAL: Final = frozenset({"eql", "eqls", "equal", "equals", "eq"})
_CONTAIN: Final = frozenset({"include", "includes", "contain", "contains", "string"})
_WORDS: Final = {"true": True, "false": False, "null": None}


class AssertionReader:
    """Reads tests into the expectations of a request.

    Args:
        values: What expressions are.
        expect: Where it goes.
        keep_schema: Keeps a JSON Schema beside the plan, and returns its name.
    """

    def __init__(
        self, values: ValueReader, expect: ExpectedReply, keep_schema: Callable[[object], str]
    ) -> None:
        self._values, self._expect = values, expect
        self._conditions = ConditionReader(values, expect, keep_schema)

    def condition(self, node: Node) -> None:
        """Expect a condition to hold.

        Raises:
            NotExpectable: No expectation says this.
        """
        self._conditions.read(node)

    def chain(self, chain: Chain) -> None:
        """Read `pm.expect(x).to…` or `pm.response.to…`.

        Raises:
            NotExpectable: No expectation says this.
        """
        names = [link.name for link in chain.links]
        if names[:1] in (["expect"], [""]) and len(names) > 1:
            self._subject(chain.links[0], chain.links[1:])
        elif names[:2] == ["response", "to"] and len(names) > 2:
            self._response(chain.links[2:])
        else:
            raise NotExpectable(NO_RULE)

    def _subject(self, expect: ChainLink, links: Sequence[ChainLink]) -> None:
        subject = expect.arguments[0] if expect.arguments else None
        if subject is None:
            raise NotExpectable(NO_RULE)
        value, wanted = self._values.value(subject), self._wanted(links[-1])
        is_not = any(link.name == "not" for link in links)
        if value is not None and value.kind != "constant":
            self._walk(value, links)
        elif isinstance(wanted, bool):
            self._conditions.read(subject, is_not=wanted == is_not)
        elif (kind := self._conditions.type_of(subject)) is not None and not is_not:
            self._expect.type(kind, str(wanted))
        else:
            raise NotExpectable(NO_RULE)

    def _wanted(self, link: ChainLink) -> object:
        """Return what the end of a chain compares with."""
        if link.arguments is None:
            return _WORDS.get(link.name, NOT_CONSTANT)
        if link.name not in _EQUAL or not link.arguments:
            return NOT_CONSTANT
        return self._values.constant(link.arguments[0])

    def _walk(self, value: ScriptValue, links: Sequence[ChainLink]) -> None:
        is_not, said = False, False
        for link in links:
            if link.name == "not":
                is_not = True
            elif link.name in _FILLERS and link.arguments is None:
                continue
            elif link.name in ("length", "lengthOf") and link.arguments is None:
                value = ScriptValue("length", of=value)
            else:
                value = self._word(value, link, is_not=is_not)
                said, is_not = True, False
        if not said:
            raise NotExpectable("it expects nothing")

    def _word(self, value: ScriptValue, link: ChainLink, *, is_not: bool) -> ScriptValue:
        """Read one word of a chain; returns what the following ones are about."""
        if link.arguments is None:
            self._flag(value, link.name, is_not=is_not)
            return value
        if link.name in ("property", "ownProperty"):
            return self._property(value, link.arguments, is_not=is_not)
        constants = [self._values.constant(one) for one in link.arguments]
        if link.name in ("match", "matches"):
            self._expect.matches(value, plain_pattern(link.arguments), is_not=is_not)
        elif link.name == "jsonSchema":
            self._schema(link.arguments, is_not=is_not)
        elif NOT_CONSTANT in constants or not constants:
            if link.name not in _EQUAL or not link.arguments:
                raise NotExpectable(NO_RULE)
            self._conditions.compute(value, link.arguments[0], is_not=is_not)
        else:
            self._constant(value, link.name, constants, is_not=is_not)
        return value

    def _constant(
        self, value: ScriptValue, word: str, constants: list[object], *, is_not: bool
    ) -> None:
        first = constants[0]
        if word in _BOUNDS:
            sign = _BOUNDS[word]
            self._expect.bound(value, OPPOSITE[sign] if is_not else sign, first)
        elif word in _EQUAL:
            (self._expect.unequal if is_not else self._expect.equal)(value, first)
        elif word in _CONTAIN:
            self._expect.contains(value, first, is_not=is_not)
        elif word in _PLAIN and not is_not:
            _PLAIN[word](self._expect, value, constants)
        else:
            raise NotExpectable(NO_RULE)

    def _flag(self, value: ScriptValue, word: str, *, is_not: bool) -> None:
        if word in _WORDS:
            (self._expect.unequal if is_not else self._expect.equal)(value, _WORDS[word])
        elif word in ("undefined", "exist"):
            self._expect.exists(value, is_there=is_not == (word == "undefined"))
        elif word == "empty":
            self._expect.length(value, 1 if is_not else 0, None if is_not else 0)
        elif word == "ok" and not is_not:
            self._conditions.truth(value)
        else:
            raise NotExpectable(NO_RULE)

    def _property(
        self, value: ScriptValue, arguments: Sequence[Node], *, is_not: bool
    ) -> ScriptValue:
        name = self._values.constant(arguments[0]) if arguments else NOT_CONSTANT
        if value.kind != "json" or not isinstance(name, str | int):
            raise NotExpectable(NO_RULE)
        inner = ScriptValue("json", (*value.path, *_steps(name)))
        if len(arguments) == 1:
            self._expect.exists(inner, is_there=not is_not)
            return inner
        wanted = self._values.constant(arguments[1])
        if wanted is NOT_CONSTANT:
            self._conditions.compute(inner, arguments[1], is_not=is_not)
        else:
            (self._expect.unequal if is_not else self._expect.equal)(inner, wanted)
        return inner

    def _schema(self, arguments: Sequence[Node], *, is_not: bool) -> None:
        if is_not or not arguments:
            raise NotExpectable(NO_RULE)
        self._conditions.schema(arguments[0])

    def _response(self, links: Sequence[ChainLink]) -> None:
        is_not, last = any(link.name == "not" for link in links), links[-1]
        names = [link.name for link in links]
        if "responseTime" in names[:-1]:
            self._walk(ScriptValue("time"), links[names.index("responseTime") + 1 :])
        elif last.name in _STATUSES and last.arguments is None:
            if is_not and last.name != "error":
                raise NotExpectable(NO_RULE)
            self._expect.statuses(["2xx", "3xx"] if is_not else _STATUSES[last.name])
        elif last.name == "jsonSchema":
            self._schema(last.arguments or (), is_not=is_not)
        else:
            self._part(last, is_not=is_not)

    def _part(self, link: ChainLink, *, is_not: bool) -> None:
        """Read what is said of the status, a header or the body."""
        if link.name == "body" and link.arguments and link.arguments[0].type == "regex":
            pattern = plain_pattern(link.arguments)
            self._expect.matches(ScriptValue("body"), pattern, is_not=is_not)
            return
        known = [self._values.constant(one) for one in link.arguments or ()]
        value = _part_of(link.name, known)
        if value is None or NOT_CONSTANT in known:
            raise NotExpectable(NO_RULE)
        if value.kind in ("header", "json") and isinstance((known or [None])[0], str):
            known = known[1:]
        if not known:
            self._expect.exists(value, is_there=not is_not)
        else:
            (self._expect.unequal if is_not else self._expect.equal)(value, known[0])


def _part_of(word: str, known: list[object]) -> ScriptValue | None:
    """Return what of a reply `to.have.header("X")` and its like are about."""
    first = known[0] if known else None
    if word in ("status", "statusCode", "statusReason") and known:
        return ScriptValue("status")
    if word == "header" and known:
        return ScriptValue("header", name=str(first))
    if word in ("jsonBody", "json"):
        return ScriptValue("json", _steps(first) if isinstance(first, str) else ())
    return ScriptValue("body") if word in ("body", "withBody") else None


def _steps(name: object) -> tuple[str | int, ...]:
    if isinstance(name, str):
        return tuple(int(one) if one.isdigit() else one for one in name.split("."))
    assert isinstance(name, int)
    return (name,)


def _type(expect: ExpectedReply, value: ScriptValue, constants: list[object]) -> None:
    expect.type(value, str(constants[0]))


def _one_of(expect: ExpectedReply, value: ScriptValue, constants: list[object]) -> None:
    expect.one_of(value, constants[0] if isinstance(constants[0], list) else constants)


def _length(expect: ExpectedReply, value: ScriptValue, constants: list[object]) -> None:
    expect.equal(ScriptValue("length", of=value), constants[0])


def _within(expect: ExpectedReply, value: ScriptValue, constants: list[object]) -> None:
    if len(constants) != 2:
        raise NotExpectable(NO_RULE)
    expect.bound(value, ">=", constants[0])
    expect.bound(value, "<=", constants[1])


def _keys(expect: ExpectedReply, value: ScriptValue, constants: list[object]) -> None:
    names = constants[0] if isinstance(constants[0], list) else constants
    if value.kind != "json":
        raise NotExpectable(NO_RULE)
    for name in names:
        expect.exists(ScriptValue("json", (*value.path, str(name))))


def _members(expect: ExpectedReply, value: ScriptValue, constants: list[object]) -> None:
    for one in constants[0] if isinstance(constants[0], list) else constants:
        expect.contains(value, one)


_PLAIN: Final[dict[str, Callable[[ExpectedReply, ScriptValue, list[object]], None]]] = {
    "a": _type,
    "an": _type,
    "oneOf": _one_of,
    "lengthOf": _length,
    "length": _length,
    "within": _within,
    "keys": _keys,
    "key": _keys,
    "members": _members,
}
