"""What a threshold looks at: the `of` part, as a tree that matches labels and prints itself.

A selector picks from one population. Requests are the usual one; `iteration` picks iterations, and
`group:G` picks the runs of the group, unless a request, status or error stands beside it: then it
picks the requests within the group.

Terms of kind PHASE stand in selectors of `each` only; elsewhere a phase is a scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Final, assert_never

from planrunner.late_pattern import late_pattern
from planrunner.metrics.name_patterns import NameForm, is_meant, shown_pattern
from planrunner.metrics.series import ABORTED, Labels
from planrunner.values import dataclass

__all__ = [
    "GAUGES",
    "AllOf",
    "AnyOf",
    "Matcher",
    "NotTerm",
    "Population",
    "Selector",
    "SelectorKind",
    "Term",
    "mapped",
    "population_of",
    "quoted",
]


class SelectorKind(StrEnum):
    """What a name in a threshold names; for all but REQUEST it is also the prefix in the text."""

    REQUEST = "request"
    TASK = "task"
    USER = "user"
    GROUP = "group"
    TAG = "tag"
    STATUS = "status"
    ERROR = "error"
    ITERATION = "iteration"
    SERVICE = "service"
    MONITOR = "monitor"
    GENERATOR = "generator"
    PHASE = "phase"
    STAGE = "stage"
    PROFILE = "profile"


class Population(StrEnum):
    """What a selector picks from; the first three are the values of `Labels.kind`."""

    REQUEST = "request"
    ITERATION = "iteration"
    GROUP = "group"
    GAUGE = "gauge"


GAUGES: Final = frozenset({SelectorKind.SERVICE, SelectorKind.MONITOR, SelectorKind.GENERATOR})
_OUTCOMES: Final = frozenset({SelectorKind.STATUS, SelectorKind.ERROR})
_ABOUT_REQUESTS: Final = frozenset({SelectorKind.REQUEST, *_OUTCOMES})


@dataclass(frozen=True, slots=True)
class Term:
    """One named thing, or all whose names fit.

    Attributes:
        name: The request, task, class, group, tag key, status (`404`, `5xx`), failure kind or
            user class (of iterations; empty for all). Of a gauge the part after the prefix
            (`api.rss`).
        value: The tag's value; None when any will do.
        form: Of the value where there is one, else of the name.
        offset: Where the name starts in the text, and where it ends.
    """

    kind: SelectorKind
    name: str
    value: str | None = None
    form: NameForm = NameForm.NAME
    offset: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __str__(self) -> str:
        match self.kind:
            case _ if self.form is NameForm.ANY:
                return self.kind.value
            case SelectorKind.REQUEST:
                return self.shown
            case SelectorKind.SERVICE | SelectorKind.MONITOR | SelectorKind.GENERATOR:
                return f"{self.kind}.{self.name}"
            case _ if self.value is not None:
                return f"{self.kind}:{quoted(self.name)}={self.shown}"
            case _:
                return f"{self.kind}:{self.shown}"

    @property
    def shown(self) -> str:
        """The name, or the tag's value, as a threshold writes it."""
        text = self.name if self.value is None else self.value
        if self.form is NameForm.PATTERN:
            return shown_pattern(text)
        # Unquoted, a request's name with a dot would take a whole action.
        is_exact = self.kind is SelectorKind.REQUEST and self.form is NameForm.NAME
        return quoted(text, forced=is_exact and "." in text)

    def means(self, name: str) -> bool:
        """Whether this is the name, or the tag's value, or one of those that fit."""
        return is_meant(self.name if self.value is None else self.value, self.form, name)


@dataclass(frozen=True, slots=True)
class NotTerm:
    part: Matcher

    def __str__(self) -> str:
        return f"not {_in_parentheses(self.part, (AllOf, AnyOf))}"


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Matcher, ...]

    def __str__(self) -> str:
        return " and ".join(_in_parentheses(part, (AllOf, AnyOf)) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Matcher, ...]

    def __str__(self) -> str:
        return " or ".join(_in_parentheses(part, (AnyOf,)) for part in self.parts)


Matcher = Term | NotTerm | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Selector:
    """A selection and the population that it picks from.

    Attributes:
        is_each: What it picks is judged one by one, by what its first term names.
        excepted: What is left out of it; only of `each`.
    """

    root: Matcher
    is_each: bool = False
    excepted: Matcher | None = None
    population: Population = field(init=False, compare=False)
    picked: Matcher = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "population", population_of(self.root))
        whole = self.root if self.excepted is None else AllOf((self.root, NotTerm(self.excepted)))
        object.__setattr__(self, "picked", whole)

    def __str__(self) -> str:
        each = "each " if self.is_each else ""
        excepted = "" if self.excepted is None else f" except {self.excepted}"
        return f"{each}{self.root}{excepted}"

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every named thing, in the order of the text."""
        return tuple(term for term, _ in _terms(self.picked, negated=False))

    def mapped(self, change: Callable[[Term], Matcher]) -> Selector:
        """Return the selector with each of its terms changed."""
        excepted = None if self.excepted is None else mapped(self.excepted, change)
        return Selector(mapped(self.root, change), self.is_each, excepted)

    @property
    def wants_aborted(self) -> bool:
        """True when aborted requests are asked for by name; they count nowhere else."""
        return any(term.kind is SelectorKind.ERROR and term.name == ABORTED for term in self.terms)

    def matches(self, labels: Labels) -> bool:
        return labels.kind == self.population and self.picks(labels)

    def picks(self, labels: Labels) -> bool:
        """Whether it takes these samples, which are of the right population."""
        return bool(_holds(self.picked, labels, known=True))

    def could_match(self, labels: Labels) -> bool:
        return labels.kind == self.population and self.could_pick(labels)

    def could_pick(self, labels: Labels) -> bool:
        """Whether a sample like this one, with another status, failure or tag value, may match.

        It separates a `count of "GET /x" and status:5xx == 0` where no request failed from one
        where the request was never sent.
        """
        return _holds(self.picked, labels, known=False) is not False


def mapped(selection: Matcher, change: Callable[[Term], Matcher]) -> Matcher:
    """Return a selection with each of its terms changed."""
    match selection:
        case Term():
            return change(selection)
        case NotTerm(part):
            return NotTerm(mapped(part, change))
        case AllOf(parts):
            return AllOf(tuple(mapped(part, change) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(mapped(part, change) for part in parts))
        case _:
            assert_never(selection)


_BARE: Final = late_pattern(r"[A-Za-z0-9_.-]+")
_KEYWORDS: Final = frozenset(
    {
        *("and", "or", "not", "in", "of", "over", "among", "for", "each", "except", "iteration"),
        *("request", "task", "user", "group", "phase"),
    }
)


def quoted(name: str, *, forced: bool = False) -> str:
    """Return the name as a threshold writes it: in quotes when it has other characters.

    Args:
        name: Any text.
        forced: Quote even what needn't be, as `"etcd.put"` means exactly that request.
    """
    if _BARE.fullmatch(name) and name not in _KEYWORDS and not forced:
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _in_parentheses(part: Matcher, kinds: tuple[type, ...]) -> str:
    return f"({part})" if isinstance(part, kinds) else str(part)


def _terms(selection: Matcher, *, negated: bool) -> Iterator[tuple[Term, bool]]:
    match selection:
        case Term():
            yield selection, negated
        case NotTerm(part):
            yield from _terms(part, negated=not negated)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _terms(part, negated=negated)
        case _:
            assert_never(selection)


def population_of(root: Matcher) -> Population:
    """Return what a selection picks from."""
    terms = list(_terms(root, negated=False))
    kinds = {term.kind for term, _ in terms}
    if kinds & GAUGES:
        return Population.GAUGE
    if SelectorKind.ITERATION in kinds:
        return Population.ITERATION
    picks_groups = any(term.kind is SelectorKind.GROUP and not negated for term, negated in terms)
    if picks_groups and not kinds & _ABOUT_REQUESTS:
        return Population.GROUP
    return Population.REQUEST


def _holds(selection: Matcher, labels: Labels, *, known: bool) -> bool | None:
    """Kleene's logic: None is `that depends`, which only occurs unless the outcome is `known`."""
    match selection:
        case Term():
            return _term_holds(selection, labels, known=known)
        case NotTerm(part):
            inner = _holds(part, labels, known=known)
            return None if inner is None else not inner
        case AllOf(parts):
            found = [_holds(part, labels, known=known) for part in parts]
            return False if False in found else None if None in found else True
        case AnyOf(parts):
            found = [_holds(part, labels, known=known) for part in parts]
            return True if True in found else None if None in found else False
        case _:
            assert_never(selection)


def _term_holds(term: Term, labels: Labels, *, known: bool) -> bool | None:
    if not known and term.kind in _OUTCOMES:
        return None
    if not known and term.kind is SelectorKind.TAG and term.value is not None:
        # Another value may come with the next reply; a key that is missing altogether doesn't.
        return None if any(key == term.name for key, _ in labels.tags) else False
    test = _TESTS.get(term.kind)
    return test is not None and test(term, labels)


def _is_request(term: Term, labels: Labels) -> bool:
    is_called = term.means(labels.request) or term.name == labels.template
    return is_called or (term.form is NameForm.ACTION and term.name == labels.action)


def _is_in_group(term: Term, labels: Labels) -> bool:
    if labels.kind == Population.GROUP:
        return term.means(labels.request)
    return any(map(term.means, labels.groups))


def _has_tag(term: Term, labels: Labels) -> bool:
    return any(
        key == term.name and (term.value is None or term.means(value)) for key, value in labels.tags
    )


def _has_status(term: Term, labels: Labels) -> bool:
    shown = str(labels.status)
    return term.name in (shown, labels.status_name) or (
        len(shown) == 3 and f"{shown[0]}xx" == term.name
    )


_TESTS: Final[Mapping[SelectorKind, Callable[[Term, Labels], bool]]] = {
    SelectorKind.REQUEST: _is_request,
    SelectorKind.TASK: lambda term, labels: bool(labels.task) and term.means(labels.task),
    SelectorKind.USER: lambda term, labels: term.means(labels.user),
    SelectorKind.ITERATION: lambda term, labels: term.means(labels.user),
    SelectorKind.GROUP: _is_in_group,
    SelectorKind.TAG: _has_tag,
    SelectorKind.STATUS: _has_status,
    SelectorKind.ERROR: lambda term, labels: labels.failure == term.name,
    SelectorKind.PHASE: lambda term, labels: term.means(labels.phase),
}
