"""Compile `expect:` to the accepted statuses and to checks, the cheapest first."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, Final, cast

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import to_text
from planrunner.language.expressions.values import evaluation_error
from planrunner.language.fields.text import Text, parse_text
from planrunner.language.patterns.pattern import MatchTimeoutError
from planrunner.protocols.base import (
    NOT_JSON,
    Check,
    Reply,
    Scope,
    TextParts,
    charset_of,
    read_json,
    read_text,
)
from planrunner.protocols.http.replies.body import describe_body, header_finder
from planrunner.protocols.http.replies.final_url import compile_final_url
from planrunner.protocols.http.replies.schema import compile_schema
from planrunner.protocols.http.spec_expect import Expect, Rule
from planrunner.protocols.jsonpath import FindNodes, compile_path, plain_keys
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.protocols.rules import (
    Condition,
    compile_condition,
    compile_matches,
    compile_time,
    rule_words,
    shorten,
    show,
)
from planrunner.values import dataclass

__all__ = ["DEFAULT_ACCEPT", "Expected", "compile_expect"]

DEFAULT_ACCEPT: Final = range(200, 400)
_STATUSES: Final = range(1000)
_CLASS: Final = re.compile(r"([1-5])(?:xx|XX|\*)")


@dataclass(frozen=True, slots=True)
class Expected:
    """What `expect:` compiles to."""

    accept: Container[int] = DEFAULT_ACCEPT
    checks: tuple[Check, ...] = ()
    soft_checks: tuple[Check, ...] = ()
    words: tuple[str, ...] = ("status 2xx or 3xx",)
    soft_words: tuple[str, ...] = ()
    needs_body: bool = False
    needs_head: bool = False
    needs_url: bool = False
    states_status: bool = False


def compile_expect(expect: Expect | None, lowering: Lowering, base: TextParts = ()) -> Expected:
    """Compile the expectations of one request; faults stay in `lowering`, below `expect`.

    `base` is the `base_url` that the plan's URLs follow.
    """
    if expect is None:
        return Expected()
    hard: list[tuple[str, Check]] = []
    soft: list[tuple[str, Check]] = []
    for name, words, check in _checks(expect, lowering, base):
        (soft if expect.is_soft(name) else hard).append((words, check))
    status = "2xx or 3xx"
    accept: Container[int] = DEFAULT_ACCEPT
    states_status = expect.status is not None and not expect.is_soft("status")
    if expect.status is not None:
        accept, status = _accept(expect.status, lowering), _shown_status(expect.status)
        if expect.is_soft("status"):
            soft.insert(0, (f"status {status}", _has_status(accept, status)))
            # Nothing else says which replies are failures: a 500 is one, whatever was hoped for.
            accept, status = _or_usual(accept), f"2xx or 3xx or {status}"
    given = expect.model_fields_set
    return Expected(
        accept,
        tuple(check for _, check in hard),
        tuple(check for _, check in soft),
        (f"status {status}", *(words for words, _ in hard)),
        tuple(words for words, _ in soft),
        needs_body=not given.isdisjoint({*_OF_TEXT, "json_", "schema_"}),
        # The charset of a text stands in the head.
        needs_head=not given.isdisjoint({*_OF_TEXT, "header", "json_"}),
        needs_url=expect.url is not None,
        states_status=states_status,
    )


def _or_usual(accept: Container[int]) -> Container[int]:
    return frozenset(one for one in _STATUSES if one in accept or one in DEFAULT_ACCEPT)


_OF_TEXT: Final = ("contains", "not_contains", "matches", "not_matches")


def _checks(
    expect: Expect, lowering: Lowering, base: TextParts
) -> Iterator[tuple[str, str, Check]]:
    """Yield each check with its key and what it expects, in words."""
    if expect.time is not None and (check := compile_time(expect.time, lowering)):
        yield "time", f"time {expect.time.source}", check
    if expect.url is not None:
        yield "url", f"url{rule_words(expect.url)}", compile_final_url(expect.url, base, lowering)
    for name, expected in (expect.header or {}).items():
        words = f"header {name}{rule_words(expected)}"
        yield f"header {name}", words, _header(name, expected, lowering)
    yield from _text_checks(expect, lowering)
    for source, expected in (expect.json_ or {}).items():
        if check := _json(source, expected, lowering):
            yield f"json {source}", f"json {source}{rule_words(expected)}", check
    if expect.schema_ is not None and (check := compile_schema(expect.schema_, lowering)):
        yield "schema", f"schema {expect.schema_.source}", check


def _text_checks(expect: Expect, lowering: Lowering) -> Iterator[tuple[str, str, Check]]:
    """Yield each check of the body as text, those of what must not be there after the others."""
    for key, texts, compile_text, wanted in (
        ("contains", expect.contains, _contains, True),
        ("matches", expect.matches, _matches, True),
        ("not_contains", expect.not_contains, _contains, False),
        ("not_matches", expect.not_matches, _matches, False),
    ):
        for text, place in _each(texts, ("expect", key)):
            yield key, f"{key} {text.source}", compile_text(text, lowering, place, wanted=wanted)


def _each(texts: Text | Sequence[Text] | None, path: SpecPath) -> Iterator[tuple[Text, SpecPath]]:
    if isinstance(texts, list | tuple):
        yield from ((text, (*path, index)) for index, text in enumerate(texts))
    elif texts is not None:
        yield cast("Text", texts), path


# -- status --------------------------------------------------------------------------------


def _accept(status: object, lowering: Lowering) -> Container[int]:
    path: SpecPath = ("expect", "status")
    if not isinstance(status, list | tuple):
        return _statuses(status, lowering, path)
    accepted: set[int] = set()
    for index, item in enumerate(status):
        accepted.update(_statuses(item, lowering, (*path, index)))
    return frozenset(accepted)


def _statuses(item: object, lowering: Lowering, path: SpecPath) -> range:
    value = item
    if isinstance(item, str) and "${" in item:
        with lowering.at(path):
            value = lowering.constant(parse_text(item), path)
        if value is None:
            return range(0)
    text = str(value)
    if match := _CLASS.fullmatch(text):
        start = int(match[1]) * 100
        return range(start, start + 100)
    if re.fullmatch(r"[1-5]\d\d", text):
        return range(int(text), int(text) + 1)
    lowering.fault(path, Code.INVALID_VALUE, f"`{shorten(str(item), 40)}` is not a status")
    return range(0)


def _shown_status(status: object) -> str:
    return ", ".join(map(str, status)) if isinstance(status, list | tuple) else str(status)


def _has_status(accept: Container[int], shown: str) -> Check:

    def check(reply: Reply, _: Scope) -> str | None:
        return None if reply.status in accept else f"status {reply.status}, expected {shown}"

    return check


# -- time, text ----------------------------------------------------------------------------


def _contains(text: Text, lowering: Lowering, path: SpecPath, *, wanted: bool) -> Check:
    is_in = _finder(text, lowering, path)
    shown = shorten(text.source, 60)

    def check(reply: Reply, scope: Scope) -> str | None:
        if is_in(reply, scope) is wanted:
            return None
        return f"`{shown}` is {'not ' if wanted else ''}in {describe_body(reply)}"

    return check


def _finder(text: Text, lowering: Lowering, path: SpecPath) -> Callable[[Reply, Scope], bool]:
    """Return what says whether a text is in the body of a reply."""
    lowered = lowering.text(text, path)
    if lowered.is_constant:
        with lowering.at(path):
            wanted = to_text(lowered.value)
            data = _encoded(wanted)
            return lambda reply, _: data in (reply.body or b"") or _is_in_text(wanted, reply)
    evaluate = lowered.evaluate

    def is_in(reply: Reply, scope: Scope) -> bool:
        text = to_text(evaluate(scope))
        return _encoded(text) in (reply.body or b"") or _is_in_text(text, reply)

    return is_in


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeError as error:
        raise evaluation_error(error, "the text of `contains`") from error


def _is_in_text(wanted: str, reply: Reply) -> bool:
    """Look in the body of a reply whose charset is not UTF-8, where its bytes are others."""
    return charset_of(reply.head) != "utf-8" and wanted in reply.parsed(read_text)


def _matches(text: Text, lowering: Lowering, path: SpecPath, *, wanted: bool) -> Check:
    matches = compile_matches(text, lowering, path)
    shown = shorten(text.source, 60)

    def check(reply: Reply, _: Scope) -> str | None:
        against = matches(reply.parsed(read_text))  # None for a match, empty for none
        if against or (against is None) is not wanted:
            missing = f"no match of `{shown}`" if wanted else f"a match of `{shown}`"
            return f"{against or missing} in {describe_body(reply)}"
        return None

    return check


# -- header, json --------------------------------------------------------------------------


def _header(name: str, expected: object, lowering: Lowering) -> Check:
    path: SpecPath = ("expect", "header", name)
    if isinstance(expected, Rule) and expected.type is not None:
        lowering.fault((*path, "type"), Code.NOT_ALLOWED, "a header is always a string")
    condition = _as_header(compile_condition(expected, lowering, path), expected)
    find = header_finder(name)
    absent = isinstance(expected, Rule) and expected.exists is False
    shown = f"header `{shorten(name, 40)}`"

    def check(reply: Reply, scope: Scope) -> str | None:
        values = find(reply)
        if absent or not values:
            return _presence(shown, found=bool(values), absent=absent)
        # A header may come more than once; one of its values has to hold.
        wanted = ""
        for value in values:
            if (wanted := condition(value, scope) or "") == "":
                return None
        return f"{shown} is {show(values[-1])}, {wanted}"

    return check


def _as_header(condition: Condition, expected: object) -> Condition:
    """Let a number in the plan hold for the header's text: `Content-Length: 5`, `{min: 1}`."""
    numeric = not isinstance(expected, Rule) or not {"min", "max", "in_", "is_"}.isdisjoint(
        expected.model_fields_set
    )
    if not numeric:
        return condition

    def holds(value: Any, scope: Scope) -> str | None:  # noqa: ANN401 - a header's text
        wanted = condition(value, scope)
        if wanted is not None and (number := _as_number(value)) is not None:
            return condition(number, scope)
        return wanted

    return holds


def _as_number(text: str) -> int | float | None:
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        return None


def _json(source: str, expected: object, lowering: Lowering) -> Check | None:
    path: SpecPath = ("expect", "json", source)
    find = json_finder(source, lowering, path)
    condition = compile_condition(expected, lowering, path)
    if find is None:
        return None
    absent = isinstance(expected, Rule) and expected.exists is False
    # A list in the plan is compared with all the matches of a path that can have several.
    whole = plain_keys(source) is None and isinstance(
        getattr(expected, "source", expected), list | tuple
    )
    name = f"`{shorten(source, 50)}`"

    def check(reply: Reply, scope: Scope) -> str | None:
        data = reply.parsed(read_json)
        try:
            values = [] if data is NOT_JSON else find(data)
        except MatchTimeoutError as error:
            return f"{name} {error.message}"
        if absent or not values:
            if not values and not absent:
                return f"nothing at {name} in {describe_body(reply)}"
            return _presence(name, found=bool(values), absent=absent)
        for value in (values,) if whole else values:
            if (wanted := condition(value, scope)) is not None:
                return f"{name} is {show(value)}, {wanted}"
        return None

    return check


def json_finder(source: str, lowering: Lowering, path: SpecPath) -> FindNodes | None:
    """Compile a path whose variables, if any, are constants."""
    before = len(lowering.faults)
    source = lowering.key(source, path)
    if len(lowering.faults) > before:
        return None
    with lowering.at(path, is_key=True):
        return compile_path(source)
    return None


def _presence(name: str, *, found: bool, absent: bool) -> str | None:
    if found == (not absent):
        return None
    return f"{name} is present, expected none" if absent else f"no {name} in the reply"
