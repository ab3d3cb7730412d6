"""Compile `expect:` to the accepted statuses and to checks, the cheapest first."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, Final, cast

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import to_text
from planrunner.language.expressions.values import EvaluationError, evaluation_error
from planrunner.language.fields.text import Text
from planrunner.late_pattern import late_pattern
from planrunner.protocols.base import Check, Evaluate, Reply, Scope, TextParts
from planrunner.protocols.http.replies.body import header_finder
from planrunner.protocols.http.spec_expect import Expect
from planrunner.protocols.json_replies.description import describe_body
from planrunner.protocols.json_replies.expect import compile_json, presence
from planrunner.protocols.json_replies.spec import Rule
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.protocols.received import charset_of, read_text
from planrunner.protocols.rules import (
    Condition,
    compile_condition,
    compile_matches,
    compile_time,
    rule_words,
    shorten,
    show,
)
from planrunner.protocols.streamed.expect import compile_stream_checks
from planrunner.values import dataclass

__all__ = ["DEFAULT_ACCEPT", "Expected", "compile_expect"]

DEFAULT_ACCEPT: Final = range(200, 400)
_STATUSES: Final = range(1000)
_Accepts = Container[int] | Callable[[Scope], frozenset[int]]
"""The accepted statuses, or what finds them where a user knows them."""

_CLASS: Final = late_pattern(r"([1-5])(?:xx|XX|\*)")


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


_USUAL: Final = Expected()


def compile_expect(expect: Expect | None, lowering: Lowering, base: TextParts = ()) -> Expected:
    """Compile the expectations of one request; faults stay in `lowering`, below `expect`.

    `base` is the `base_url` that the plan's URLs follow.
    """
    if expect is None:
        return _USUAL
    hard: list[tuple[str, Check]] = []
    soft: list[tuple[str, Check]] = []
    for name, words, check in _checks(expect, lowering, base):
        (soft if expect.is_soft(name) else hard).append((words, check))
    status = "2xx or 3xx"
    accept: Container[int] = DEFAULT_ACCEPT
    states_status = expect.status is not None and not expect.is_soft("status")
    if expect.status is not None:
        accepted, status = _accept(expect.status, lowering), _shown_status(expect.status)
        if expect.is_soft("status"):
            soft.insert(0, (f"status {status}", _has_status(accepted, status)))
            accepted, status = _accepted(expect, accepted, status, lowering)
        if isinstance(accepted, Container):
            accept = accepted
        else:
            hard.insert(0, (f"status {status}", _has_status(accepted, status)))
            accept, status, states_status = _STATUSES, "any", False
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


def _accepted(
    expect: Expect, hoped: _Accepts, words: str, lowering: Lowering
) -> tuple[_Accepts, str]:
    """Return which replies are no failures where the status that is hoped for only warns."""
    around = expect.accepted_status
    if around is not None:
        return _accept(around, lowering), _shown_status(around)
    # Nothing else says which replies are failures: a 500 is one, whatever was hoped for.
    return _or_usual(hoped), f"2xx or 3xx or {words}"


def _or_usual(accepts: _Accepts) -> _Accepts:
    usual = frozenset(DEFAULT_ACCEPT)
    if isinstance(accepts, Container):
        return usual.union(one for one in _STATUSES if one in accepts)
    return lambda scope: usual | accepts(scope)


_OF_TEXT: Final = ("contains", "not_contains", "matches", "not_matches")


def _checks(
    expect: Expect, lowering: Lowering, base: TextParts
) -> Iterator[tuple[str, str, Check]]:
    """Yield each check with its key and what it expects, in words."""
    if expect.time is not None and (check := compile_time(expect.time, lowering)):
        yield "time", f"time {expect.time.source}", check
    yield from compile_stream_checks(expect, lowering)
    if expect.url is not None:
        from planrunner.protocols.http.replies.final_url import compile_final_url  # noqa: PLC0415 - few have any

        yield "url", f"url{rule_words(expect.url)}", compile_final_url(expect.url, base, lowering)
    for name, expected in (expect.header or {}).items():
        words = f"header {name}{rule_words(expected)}"
        yield f"header {name}", words, _header(name, expected, lowering)
    yield from _text_checks(expect, lowering)
    for source, expected in (expect.json_ or {}).items():
        if check := compile_json(source, expected, lowering):
            yield f"json {source}", f"json {source}{rule_words(expected)}", check
    if expect.schema_ is not None:
        from planrunner.protocols.http.replies.schema import compile_schema  # noqa: PLC0415 - few have any

        if check := compile_schema(expect.schema_, lowering):
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


def _accept(status: object, lowering: Lowering) -> _Accepts:
    """Return the accepted statuses, or what finds them where a reply's user knows them."""
    path: SpecPath = ("expect", "status")
    if not isinstance(status, list | tuple):
        return _statuses(status, lowering, path)
    found = [_statuses(item, lowering, (*path, index)) for index, item in enumerate(status)]
    known = frozenset[int]().union(*(item for item in found if isinstance(item, frozenset)))
    later = [item for item in found if not isinstance(item, frozenset)]
    return (lambda scope: known.union(*(find(scope) for find in later))) if later else known


def _statuses(
    item: object, lowering: Lowering, path: SpecPath
) -> frozenset[int] | Callable[[Scope], frozenset[int]]:
    value, shown = item, item
    if isinstance(item, Text):
        before = len(lowering.faults)
        lowered, shown = lowering.text(item, path), item.source
        if len(lowering.faults) > before:
            return frozenset()
        if not lowered.is_constant:
            return _found_status(lowered.evaluate, item.source)
        value = lowered.value
    if (codes := _codes(value)) is None:
        lowering.fault(path, Code.INVALID_VALUE, f"`{shorten(str(shown), 40)}` is not a status")
    return codes or frozenset()


def _found_status(evaluate: Evaluate, source: str) -> Callable[[Scope], frozenset[int]]:
    def statuses(scope: Scope) -> frozenset[int]:
        if (codes := _codes(evaluate(scope))) is None:
            raise EvaluationError(f"`{shorten(source, 40)}` is not a status, so none is accepted")
        return codes

    return statuses


def _codes(value: object) -> frozenset[int] | None:
    """Return the codes that a code, a class or a list of them stands for."""
    if isinstance(value, list | tuple):
        found = [_codes(item) for item in value]
        return None if None in found or not found else frozenset().union(*filter(None, found))
    text = str(value)
    if match := _CLASS.fullmatch(text):
        return frozenset(range(int(match[1]) * 100, int(match[1]) * 100 + 100))
    return frozenset({int(text)}) if re.fullmatch(r"[1-5][0-9][0-9]", text) else None


def _shown_status(status: object) -> str:
    items = status if isinstance(status, list | tuple) else (status,)
    return ", ".join(item.source if isinstance(item, Text) else str(item) for item in items)


def _has_status(accept: _Accepts, shown: str) -> Check:

    def check(reply: Reply, scope: Scope) -> str | None:
        accepted, wanted = accept, shown
        if not isinstance(accepted, Container):
            accepted = accepted(scope)
            wanted = f"{next(iter(accepted))}" if len(accepted) == 1 else shown
        return None if reply.status in accepted else f"status {reply.status}, expected {wanted}"

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


# -- header --------------------------------------------------------------------------------


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
            return presence(shown, found=bool(values), absent=absent)
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
