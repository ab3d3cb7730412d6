"""Parses the sentence of a threshold: `p95 of "GET /" in phase high over 30s < 500ms, abort`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final, NoReturn, assert_never

from planrunner.late_pattern import late_pattern
from planrunner.metrics.aggregations.own_metrics import of_own_metric
from planrunner.metrics.aggregations.record import Aggregation, ArgumentKind
from planrunner.metrics.aggregations.table import AGGREGATIONS, USUAL_OF_A_GAUGE
from planrunner.metrics.measures import LATENCY, MEASURES, Measure
from planrunner.metrics.thresholds.limits import check_metric, parse_limit
from planrunner.metrics.thresholds.measure_parser import (
    CLAUSE_SYNONYMS,
    is_own_metric,
    parse_measure,
    take_own_metric,
)
from planrunner.metrics.thresholds.model import (
    Abort,
    Metric,
    Operator,
    Ratio,
    SizeName,
    Threshold,
    ThresholdScope,
    ThresholdSyntaxError,
)
from planrunner.metrics.thresholds.scanner import Scanner, nearest
from planrunner.metrics.thresholds.selector import Population, Selector, SelectorKind, Term
from planrunner.metrics.thresholds.selector_parser import (
    CLAUSES,
    parse_excepted,
    parse_gauge,
    parse_selector,
)
from planrunner.metrics.thresholds.units import units_of
from planrunner.metrics.thresholds.window_parser import (
    WindowRow,
    take_duration,
    take_length,
    take_row,
    window_of,
)
from planrunner.values import dataclass

__all__ = ["parse_threshold"]

_NUMBERED: Final = late_pattern(r"([a-z_]+?)([0-9]{1,2}(?:\.[0-9]{1,6})?)")
_SCOPES: Final = ("profile", "phase", "stage")
_AFTER_THE_LIMIT: Final = ("for", "except")
# The longest first, as `<` begins `<=`.
_OPERATORS: Final = sorted(Operator, key=len, reverse=True)

_NAME_BEFORE: Final = late_pattern(
    r"(?:[:=]|\b(?:of|and|or|not|phase|stage|profile)\s+)([A-Za-z0-9_.-]+)\s*\Z"
)
# How other tools write a percentile.
_LOOSE: Final = late_pattern(r"p\(([0-9.]+)\)|p([0-9]{1,2})_response_time\b")


def parse_threshold(text: str, measures: Mapping[str, Measure] = MEASURES) -> Threshold:
    """Return what the sentence says; `str` of it reads back as an equal threshold.

    Args:
        text: One sentence.
        measures: Those that an aggregation may name, by word.

    Raises:
        UnknownMeasure: It names another one.
        ThresholdSyntaxError: It isn't one; says where and what to write instead.
    """
    try:
        return _threshold(text, measures)
    except ThresholdSyntaxError as error:
        from planrunner.metrics.thresholds.rewriting import (  # noqa: PLC0415 - seldom needed
            tried_hint,
        )

        error.hint = tried_hint(text, error, lambda other: _threshold(other, measures))
        raise


def _threshold(text: str, measures: Mapping[str, Measure]) -> Threshold:
    scanner = Scanner(text)
    if scanner.at_end():
        scanner.fail("the threshold is empty", hint="write a condition such as `p95 < 500ms`")
    draft = None if scanner.take_word("ratio") else _draft(scanner, measures)
    metric = _ratio(scanner, measures) if draft is None else draft.finished(scanner)
    op = _operator(scanner)
    value = parse_limit(scanner, metric)
    while draft is not None and (word := scanner.peek_word()) in _AFTER_THE_LIMIT:
        draft.take(scanner, word)
        metric = draft.finished(scanner)
    abort = _abort(scanner)
    if not scanner.at_end():
        _trailing(scanner)
    return Threshold(metric, op, value, abort, text=text.strip())


def _ratio(scanner: Scanner, measures: Mapping[str, Measure]) -> Ratio:
    if not scanner.take("("):
        scanner.fail(
            f"expected `(`, found {scanner.found()}", hint="write `ratio(p95 of a, p95 of b) < 2`"
        )
    dividend = _metric(scanner, measures, inside_ratio=True)
    if not scanner.take(","):
        scanner.fail(f"expected `,` and a second metric, found {scanner.found()}")
    scanner.at_end()
    second = scanner.at
    divisor = _metric(scanner, measures, inside_ratio=True)
    if not scanner.take(")"):
        scanner.fail(f"expected `)`, found {scanner.found()}")
    if not set(units_of(dividend)) & set(units_of(divisor)):
        scanner.fail(
            f"`{divisor.agg_text}` can't divide `{dividend.agg_text}`",
            second,
            hint="divide metrics of the same unit",
        )
    return Ratio(dividend, divisor)


@dataclass(slots=True)
class _Draft:
    """A metric while it is read: clauses come in any order, and two may follow the limit.

    Attributes:
        start: Where it begins.
        over: The length of windows, and where it is written.
        row: How long, or how many of them in a row, and where that is written.
        size: What `over` names in place of a length.
        seen: Where the clauses so far begin.
    """

    start: int
    agg: Aggregation | None
    argument: float
    selector: Selector | None
    measure: Measure = LATENCY
    measure_offset: int = 0
    among: Selector | None = None
    scope: ThresholdScope = ThresholdScope()
    over: tuple[int, int] | None = None
    row: tuple[WindowRow, int] | None = None
    size: SizeName | None = None
    seen: dict[str, int] = field(default_factory=dict)

    def take(self, scanner: Scanner, word: str) -> None:
        """Take a clause, whose word comes next."""
        if word in self.seen:
            scanner.fail(f"`{word}` appears twice", hint=_TWICE.get(word, "keep one"))
        at = self.seen[word] = scanner.at
        scanner.skip(word)
        match word:
            case "of":
                self._take_of(scanner)
            case "among":
                self._take_among(scanner, at)
            case "except":
                self._take_except(scanner, at)
            case "in":
                self.scope = _scope(scanner)
            case "over" if self._agg.is_of_sizes:
                name, start, _ = scanner.take_name("a size")
                self.size = SizeName(name, start, scanner.at)
            case "over":
                self.over = take_length(scanner)
            case _:  # for
                self.row = take_row(scanner)

    @property
    def _agg(self) -> Aggregation:
        agg = self.agg or USUAL_OF_A_GAUGE
        return of_own_metric(agg) if self.measure.is_own else agg

    def _take_of(self, scanner: Scanner) -> None:
        """Take a selector, or a metric of the plan's own, which may have one behind it."""
        if not is_own_metric(scanner.peek_word()):
            self.selector = parse_selector(scanner)
            return
        at = scanner.at
        measure = take_own_metric(scanner)
        if self.measure != LATENCY:
            hint = f"keep one of `{self.measure.word}` and `{measure.word}`"
            scanner.fail("a threshold is of one measure", at, length=len(measure.word), hint=hint)
        self.measure, self.measure_offset = measure, at
        del self.seen["of"]
        if (word := scanner.peek_word()) in ("and", "or"):
            hint = f"write `of {measure.word} of SELECTOR`"
            message = f"`{measure.word}` can't be combined with selectors"
            scanner.fail(message, length=len(word), hint=hint)

    def _take_among(self, scanner: Scanner, at: int) -> None:
        agg = self._agg
        if not agg.takes_among:
            hint = "write `share of X among Y`" if agg.is_share else "combine selectors with `and`"
            scanner.fail(f"`{agg.word}` has no `among`", at, length=len("among"), hint=hint)
        self.among = parse_selector(scanner)

    def _take_except(self, scanner: Scanner, at: int) -> None:
        if self.among is not None and self.among.is_each:
            self.among = parse_excepted(scanner, self.among)
        elif self.selector is not None and self.selector.is_each:
            self.selector = parse_excepted(scanner, self.selector)
        else:
            hint = "write `of each request except ...`, or `and not ...` in the selector"
            scanner.fail("`except` belongs to `each`", at, length=len("except"), hint=hint)

    def finished(self, scanner: Scanner, *, inside_ratio: bool = False) -> Metric:
        """Return the metric as it is so far."""
        selector, among = self.selector, self.among
        if self.measure.is_own and selector is None:
            selector, among = among, None  # the share of true among these is the share of these
        metric = Metric(
            self._agg,
            self.argument,
            selector,
            self.scope,
            window_of(scanner, self.over, self.row),
            self.measure,
            self.measure_offset,
            among,
            self.size,
        )
        is_bare = metric.population is Population.GAUGE or self.measure.is_own
        if self.agg is None and not is_bare:
            scanner.fail(
                "the threshold does not say what to measure",
                self.start,
                hint=f"begin with an aggregation: `p95 {scanner.text[self.start :].strip()[:40]}`",
            )
        if inside_ratio:
            self._check_in_ratio(metric, scanner)
        check_metric(metric, scanner, self.start)
        return metric

    def _check_in_ratio(self, metric: Metric, scanner: Scanner) -> None:
        if metric.window is not None:
            word = "over" if "over" in self.seen else "for"
            at = self.seen[word]
            scanner.fail("a ratio has no windows", at, length=len(word), hint=f"leave out `{word}`")
        if metric.each is not None:
            at = metric.each.terms[0].offset
            scanner.fail("a ratio isn't judged for `each`", at, hint="write a threshold for each")
        if metric.agg.is_growth or metric.agg.is_of_sizes:
            word = metric.agg.word
            message, hint = f"`{word}` can't be part of a ratio", "write a separate threshold"
            scanner.fail(message, self.start, length=len(word), hint=hint)


_TWICE: Final[Mapping[str, str]] = {
    "of": "combine selectors with `and` or `or`",
    "among": "combine selectors with `and` or `or`",
    "except": "combine selectors with `or`",
    "in": "write `in phase P stage S`",
}


def _metric(
    scanner: Scanner, measures: Mapping[str, Measure], *, inside_ratio: bool = False
) -> Metric:
    return _draft(scanner, measures).finished(scanner, inside_ratio=inside_ratio)


def _draft(scanner: Scanner, measures: Mapping[str, Measure]) -> _Draft:
    scanner.at_end()
    start = scanner.at
    agg, argument, gauge = _head(scanner, measures)
    usual = agg or USUAL_OF_A_GAUGE
    is_named = agg is not None or is_own_metric(scanner.peek_word())
    measure, named_at = parse_measure(scanner, usual, measures) if is_named else (LATENCY, 0)
    selector = None if gauge is None else Selector(gauge)
    draft = _Draft(start, agg, argument, selector, measure, named_at)
    if gauge is not None:
        draft.seen["of"] = start
    while (word := scanner.peek_word()) in CLAUSES:
        draft.take(scanner, word)
    return draft


def _head(
    scanner: Scanner, measures: Mapping[str, Measure]
) -> tuple[Aggregation | None, float, Term | None]:
    """Take the aggregation with its argument, or a gauge that stands without one."""
    word = scanner.peek_word()
    if word in CLAUSES or is_own_metric(word):
        return None, 0, None
    gauge = parse_gauge(scanner, word)
    if gauge is not None:
        return None, 0, gauge
    numbered = _NUMBERED.fullmatch(word)
    agg = AGGREGATIONS.get(numbered[1] if numbered else word)
    number = float(numbered[2]) if numbered else 0
    if agg is None or (agg.argument is ArgumentKind.PERCENT) is not bool(number):
        _unknown_head(scanner, word, measures)
    scanner.skip(word)
    match agg.argument:
        case ArgumentKind.NONE | ArgumentKind.PERCENT:
            return agg, number, None
        case ArgumentKind.TARGET:
            return agg, _target(scanner, agg), None
        case _ as unreachable:
            assert_never(unreachable)


def _unknown_head(scanner: Scanner, word: str, measures: Mapping[str, Measure]) -> NoReturn:
    loose = _LOOSE.match(scanner.text, scanner.at)
    rest = scanner.text[scanner.at :].strip()
    if not word or rest.startswith(f"{word}:"):
        scanner.fail(
            "the threshold does not say what to measure",
            length=len(word),
            hint=f"begin with an aggregation: `p95 of {rest[:40]}`",
        )
    meant = next((agg for agg in AGGREGATIONS.values() if word in agg.synonyms), None)
    if meant is not None:
        hint = f"write `{meant.word}`"
    elif word in measures:
        hint = f"write `p95 {word}`"
    elif foreign := [one.word for one in measures.values() if word in one.synonyms]:
        hint = f"write `p95 {foreign[0]}`"
    elif loose:
        hint = f"write `p{loose[1] or loose[2]}`"
    else:
        heads = [*(head for agg in AGGREGATIONS.values() for head in agg.spellings), "ratio"]
        hint = nearest(word, heads) or f"known aggregations are {', '.join(heads)}"
    scanner.fail(f"unknown aggregation `{word}`", length=len(word), hint=hint)


def _target(scanner: Scanner, agg: Aggregation) -> int:
    example = f"write `{agg.examples[0]}`"
    if not scanner.take("("):
        scanner.fail(f"`{agg.word}` needs its target time", hint=example)
    target_ns = take_duration(scanner, "the target time")
    if not scanner.take(")"):
        scanner.fail(f"expected `)`, found {scanner.found()}", hint=example)
    return target_ns


def _scope(scanner: Scanner) -> ThresholdScope:
    """Take `phase P`, `stage S`, `profile X`, or several of them from the outside in."""
    found: dict[str, Term] = {}
    while (word := scanner.peek_word()) in _SCOPES:
        if any(_SCOPES.index(word) <= _SCOPES.index(before) for before in found):
            scanner.fail(f"`{word}` is out of order", hint="write `in phase P stage S`")
        scanner.skip(word)
        name, start, _ = scanner.take_name(f"a {word}")
        found[word] = Term(SelectorKind(word), name, offset=start, end=scanner.at)
    if not found:
        hint = (
            nearest(word, _SCOPES) or "write `in phase NAME`, `in stage NAME` or `in profile NAME`"
        )
        scanner.fail(
            f"expected `phase`, `stage` or `profile`, found {scanner.found()}",
            length=len(word),
            hint=hint,
        )
    return ThresholdScope(found.get("profile"), found.get("phase"), found.get("stage"))


def _operator(scanner: Scanner) -> Operator:
    found = next((op for op in _OPERATORS if scanner.take(op)), None)
    if found is None:
        _no_operator(scanner)
    return found


def _no_operator(scanner: Scanner) -> NoReturn:
    word = scanner.peek_word()
    swapped = re.compile(r"=[<>]?").match(scanner.text, scanner.at)
    if swapped:
        right = f"{swapped[0][1:]}=" if len(swapped[0]) > 1 else "=="
        scanner.fail(
            f"`{swapped[0]}` compares nothing", length=len(swapped[0]), hint=f"write `{right}`"
        )
    if scanner.at_end():
        scanner.fail("the threshold has no limit", hint="add one, as in `p95 < 500ms`")
    what = f"unexpected `{word}`" if word else f"expected an operator, found {scanner.found()}"
    scanner.fail(what, length=len(word), hint=_stray_hint(scanner, word))


def _stray_hint(scanner: Scanner, word: str) -> str:
    """Guess what was meant by a piece that fits nowhere before the operator."""
    name = _NAME_BEFORE.search(scanner.text, 0, scanner.at)
    likely = nearest(word, (*CLAUSES, "and", "or", "for")) if word else ""
    if word in CLAUSE_SYNONYMS:
        return f"write `{CLAUSE_SYNONYMS[word]}`"
    if likely and scanner.text[scanner.at + len(word) :].startswith(" "):
        return likely
    if name is not None:
        # `task:get key` and `of GET /kv`: the piece belongs to a name.
        return f"put the name in quotes: `{scanner.unquoted(name.start(1))}`"
    return likely or "compare with `<`, `<=`, `>`, `>=`, `==` or `!=`"


def _abort(scanner: Scanner) -> Abort | None:
    if not scanner.take(","):
        return None
    if not scanner.take_word("abort"):
        word = scanner.peek_word()
        scanner.fail(
            f"expected `abort`, found {scanner.found()}",
            length=len(word),
            hint=nearest(word, ("abort",)) or "write one threshold per line",
        )
    if not scanner.take_word("after"):
        return Abort()
    return Abort(take_duration(scanner, "how long to wait"))


def _trailing(scanner: Scanner) -> NoReturn:
    word = scanner.peek_word()
    if word in CLAUSES:
        hint = f"write `{word} ...` before the operator"
    elif word == "abort":
        hint = "write a comma before it: `, abort`"
    elif word in ("and", "or"):
        hint = "write one threshold per line"
    else:
        hint = nearest(word, CLAUSES) if word else ""
    scanner.fail(f"unexpected {scanner.found()} after the limit", length=len(word), hint=hint)
