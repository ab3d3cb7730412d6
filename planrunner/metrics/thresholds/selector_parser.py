"""Parses what follows `of`, `among` and `except`.

Terms are combined with not, and, or, in that precedence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NoReturn

from planrunner.late_pattern import late_pattern
from planrunner.metrics.measures import OWN_PREFIX
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.thresholds.scanner import Scanner, nearest
from planrunner.metrics.thresholds.selector import (
    GAUGES,
    AllOf,
    AnyOf,
    Matcher,
    NotTerm,
    Population,
    Selector,
    SelectorKind,
    Term,
)
from planrunner.values import dataclass

__all__ = [
    "CLAUSES",
    "EACH_WORDS",
    "check_mixture",
    "parse_excepted",
    "parse_gauge",
    "parse_selector",
]

CLAUSES: Final = ("of", "among", "except", "in", "over", "for")

EACH_WORDS: Final = ("request", "task", "group", "user", "phase")
"""What `each` may be followed by, beside selectors."""

_DEEPEST: Final = 40
_SINGLE: Final = frozenset(
    {*map(SelectorKind, EACH_WORDS), SelectorKind.TAG, SelectorKind.ITERATION}
)
_PREFIXES: Final = ("task", "user", "group", "tag", "status", "error", "iteration")
_NOT_A_NAME: Final = frozenset({*CLAUSES, "each", "and", "or"})
_STATUS_CLASS: Final = late_pattern(r"[1-9](?:xx|XX|\*)")
_STATUS: Final = late_pattern(r"[1-9][0-9]{2}|0|[0-9A-Z]{5}")
"""A number, or an SQLSTATE."""

_STATUS_NAME: Final = late_pattern(r"[A-Z][A-Z0-9_]*")
_STATUS_TEXT: Final = late_pattern(r"[A-Za-z0-9*_-]+")


def parse_selector(scanner: Scanner) -> Selector:
    """Take a selector, which may begin with `each`; what it leaves out is a clause of its own.

    Raises:
        ThresholdSyntaxError: There is none, or it mixes what can't be mixed.
    """
    scanner.at_end()
    start = scanner.at
    is_each = scanner.take_word("each")
    if is_each and (scanner.at_end() or scanner.text[scanner.at] in "<>=!,"):
        hint = f"write `each request`, or another of {', '.join(EACH_WORDS)}"
        scanner.fail("`each` needs to know of what", start, length=len("each"), hint=hint)
    selector = Selector(_any_of(scanner, _TermPlace(in_each=is_each)), is_each)
    check_mixture(scanner, selector.root)
    if is_each:
        _check_each(scanner, selector.terms[0], start)
    return selector


def parse_excepted(scanner: Scanner, selector: Selector) -> Selector:
    """Take what `each` leaves out, and return the selector without it.

    Raises:
        ThresholdSyntaxError: There is none, or it mixes what can't be mixed.
    """
    excepted = _any_of(scanner, _TermPlace(in_except=True))
    without = replace(selector, excepted=excepted)
    check_mixture(scanner, without.picked)
    return without


def _check_each(scanner: Scanner, first: Term, start: int) -> None:
    if first.kind in _SINGLE:
        return
    scanner.fail(
        f"`each` can't be about `{first}`",
        start,
        length=first.end - start,
        hint=f"write `each request and {first}`, or another of {', '.join(EACH_WORDS)}",
    )


def parse_gauge(scanner: Scanner, word: str) -> Term | None:
    """Take `service.api.cpu` and the like; None when `word`, which comes next, is no gauge."""
    prefix, dot, name = word.partition(".")
    if not dot or prefix not in GAUGES:
        return None
    kind, start = SelectorKind(prefix), scanner.at
    example = {"service": "service.NAME.cpu", "monitor": "monitor.NAME"}.get(
        prefix, "generator.loop_lag"
    )
    if not all(name.split(".")) or (kind is SelectorKind.SERVICE and name.count(".") < 1):
        scanner.fail(f"`{word}` does not name a gauge", hint=f"write `{example}`")
    scanner.skip(word)
    return Term(kind, name, offset=start + len(prefix) + 1, end=scanner.at)


@dataclass(frozen=True, slots=True)
class _TermPlace:
    """Where a term stands.

    Attributes:
        depth: Of parentheses and negations around it.
        in_each: It follows `each`, so `request` alone is any of them.
        in_except: It follows `except`.
    """

    depth: int = 0
    in_each: bool = False
    in_except: bool = False

    @property
    def inner(self) -> _TermPlace:
        return replace(self, depth=self.depth + 1)


def _any_of(scanner: Scanner, place: _TermPlace) -> Matcher:
    parts = [_all_of(scanner, place)]
    while scanner.take_word("or"):
        parts.append(_all_of(scanner, place))
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _all_of(scanner: Scanner, place: _TermPlace) -> Matcher:
    parts = [_negated(scanner, place)]
    while scanner.take_word("and"):
        parts.append(_negated(scanner, place))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _negated(scanner: Scanner, place: _TermPlace) -> Matcher:
    if place.depth > _DEEPEST:
        scanner.fail(f"a selector is at most {_DEEPEST} levels deep")
    if scanner.take_word("not"):
        return NotTerm(_negated(scanner, place.inner))
    if not scanner.take("("):
        return _term(scanner, place)
    inner = _any_of(scanner, place.inner)
    if not scanner.take(")"):
        scanner.fail(f"expected `)`, found {scanner.found()}")
    return inner


def _term(scanner: Scanner, place: _TermPlace) -> Term:
    word = scanner.peek_word()
    if word == "each":
        scanner.fail(
            "`each` begins a selector",
            hint="write `of each request and tag:NAME`, or leave it out",
        )
    if word in _NOT_A_NAME:
        scanner.fail(
            f"expected a selector, found `{word}`",
            hint=f'name a request, as in `of "GET /"`; one called {word} is `"{word}"`',
        )
    gauge = parse_gauge(scanner, word)
    if gauge is not None:
        return gauge
    _refuse_metric(scanner, word)
    is_bare = bool(word)
    if place.in_each and word[:-1] in EACH_WORDS and word.endswith("s"):
        scanner.fail(f"`each` is about one of the {word}", hint=f"write `{word[:-1]}`")
    name, start, form = _name(scanner, "a request")
    if is_bare and scanner.take_joined(":"):
        return _prefixed(scanner, name, start, place)
    if is_bare and (name == "iteration" or (place.in_each and name in EACH_WORDS)):
        return Term(SelectorKind(name), "", form=NameForm.ANY, offset=start, end=scanner.at)
    if is_bare and "." in name:
        form = NameForm.ACTION
    return Term(SelectorKind.REQUEST, name, form=form, offset=start, end=scanner.at)


def _refuse_metric(scanner: Scanner, word: str) -> None:
    if word.startswith(OWN_PREFIX):
        scanner.fail(
            f"`{word}` selects no samples: it is a value of them",
            length=len(word),
            hint=f"write `avg of {word} of SELECTOR`",
        )


def _name(scanner: Scanner, what: str) -> tuple[str, int, NameForm]:
    """Take a name, a glob or a pattern; where it starts, and which it is."""
    found = scanner.take_pattern()
    if found is not None:
        return *found, NameForm.PATTERN
    name, start, was_quoted = scanner.take_name(what)
    return name, start, NameForm.GLOB if was_quoted and "*" in name else NameForm.NAME


def _prefixed(scanner: Scanner, prefix: str, start: int, place: _TermPlace) -> Term:
    is_phase = prefix == SelectorKind.PHASE and (place.in_each or place.in_except)
    if prefix not in _PREFIXES and not is_phase:
        _unknown_prefix(scanner, prefix, start)
    if scanner.text[scanner.at : scanner.at + 1].isspace():
        scanner.fail(f"`{prefix}:` is followed by a space", start, hint="leave out the space")
    kind = SelectorKind(prefix)
    if kind is SelectorKind.STATUS:
        return _status(scanner)
    what = f"{'an' if kind in 'iteration error' else 'a'} {prefix}"
    value = None
    if kind in (SelectorKind.TAG, SelectorKind.ERROR):
        name, at, _ = scanner.take_name(what)
        form = NameForm.NAME
    else:
        name, at, form = _name(scanner, what)
    is_compared = scanner.text.startswith("==", scanner.at)
    if kind is SelectorKind.TAG and not is_compared and scanner.take_joined("="):
        value, _, form = _name(scanner, "a tag's value")
    return Term(kind, name, value, form=form, offset=at, end=scanner.at)


def _status(scanner: Scanner) -> Term:
    start = scanner.at
    found = _STATUS_TEXT.match(scanner.text, start)
    text = found[0] if found else ""
    is_class = _STATUS_CLASS.fullmatch(text) is not None
    if not (is_class or _STATUS.fullmatch(text) or _STATUS_NAME.fullmatch(text)):
        scanner.fail(
            f"`{text}` is not a status" if text else "expected a status",
            start,
            length=len(text),
            hint="write `404`, a class such as `5xx`, or a name such as `NOT_FOUND`",
        )
    scanner.skip(text)
    name = f"{text[0]}xx" if is_class else text
    return Term(SelectorKind.STATUS, name, offset=start, end=scanner.at)


def _unknown_prefix(scanner: Scanner, prefix: str, start: int) -> NoReturn:
    if prefix in ("request", "name", "url", "label"):
        hint = 'write the name of the request alone, in quotes: `of "GET /"`'
    elif prefix in ("phase", "stage", "profile"):
        hint = f"write `in {prefix} NAME`"
    elif prefix in ("service", "monitor", "generator"):
        hint = f"write `{prefix}.NAME` with a dot"
    else:
        known = ", ".join(f"`{p}:`" for p in _PREFIXES)
        hint = nearest(prefix, _PREFIXES) or f"known selectors are {known}"
    scanner.fail(f"unknown selector `{prefix}:`", start, length=len(prefix), hint=hint)


def check_mixture(scanner: Scanner, root: Matcher) -> None:
    """Refuse gauges beside other terms, and of iterations what they don't have.

    Raises:
        ThresholdSyntaxError: At the term.
    """
    selector = Selector(root)
    gauge = next((term for term in selector.terms if term.kind in GAUGES), None)
    if gauge is not None and root != gauge:
        scanner.fail(
            f"`{gauge}` can't be combined with other selectors",
            gauge.offset,
            length=gauge.end - gauge.offset,
            hint="write a separate threshold",
        )
    if selector.population is not Population.ITERATION:
        return
    for term in selector.terms:
        if term.kind in (SelectorKind.REQUEST, SelectorKind.STATUS, SelectorKind.GROUP):
            scanner.fail(
                f"an iteration has no {term.kind}",
                term.offset,
                length=term.end - term.offset,
                hint="combine `iteration` with `user:`, `task:` or `tag:`",
            )
