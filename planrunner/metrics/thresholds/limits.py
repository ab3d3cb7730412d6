"""Which limits fit which metric: the unit of the value, and what may stand in `of` and `over`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn, assert_never

from planrunner.metrics.aggregations.record import (
    Aggregation,
    ArgumentKind,
    SelectorUse,
    WindowUse,
)
from planrunner.metrics.amounts import Unit, parse_amount, unit_of
from planrunner.metrics.measures import LATENCY
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.thresholds.model import Metric, Ratio, ThresholdValue, Window
from planrunner.metrics.thresholds.scanner import Scanner
from planrunner.metrics.thresholds.selector import (
    AllOf,
    Population,
    Selector,
    SelectorKind,
    Term,
    quoted,
)
from planrunner.metrics.thresholds.selector_parser import check_mixture
from planrunner.metrics.thresholds.units import units_of
from planrunner.units import UnitError

__all__ = ["check_metric", "parse_limit"]

_EXAMPLES: Final[Mapping[Unit, str]] = {
    Unit.DURATION: "500ms",
    Unit.RATE: "100/s",
    Unit.PERCENT: "1%",
    Unit.SIZE: "100MB",
    Unit.NUMBER: "10",
}


def check_metric(metric: Metric, scanner: Scanner, start: int) -> None:
    """Refuse a measure that isn't there, and clauses that the aggregation has no use for.

    Raises:
        ThresholdSyntaxError: At the measure, at the selector, or at `start` where it has none.
    """
    agg = metric.agg
    _check_values(scanner, metric, start)
    if agg.is_of_expectations and metric.population is not Population.REQUEST:
        _check_population(scanner, metric)
    if metric.measure != LATENCY:
        _check_measure(scanner, metric)
    if metric.among is not None:
        _check_among(scanner, metric, metric.among)
    if metric.selector is not None:
        _check_selector(scanner, agg, metric.selector)
    elif agg.selector is SelectorUse.REQUIRED:
        scanner.fail(
            f"`{agg.word}` needs to know of what",
            start,
            length=len(agg.word),
            hint=agg.without_selector,
        )
    if metric.window is not None:
        _check_window(scanner, agg, metric.window, start)
    if agg.is_of_sizes:
        _check_size(scanner, metric, start)


def _check_values(scanner: Scanner, metric: Metric, start: int) -> None:
    """Refuse an aggregation that these values don't have: those of a gauge, or of a reply."""
    agg = metric.agg
    if metric.gauge is not None:
        if not (agg.is_of_values and agg.of_gauges):
            hint = "use avg, max, p95 or growth"
            _fail_at(scanner, metric.gauge, f"a gauge has no `{agg.word}`", hint)
    elif not (agg.of_latencies or metric.measure.is_recorded):
        message = f"`{agg.word}` needs to know of which value"
        hint = f"write `{agg.word} of metric.NAME` or `{agg.word} of monitor.NAME`"
        scanner.fail(message, start, length=len(agg.word), hint=hint)


def _check_size(scanner: Scanner, metric: Metric, start: int) -> None:
    word = metric.agg.word
    if metric.each is not None:
        message = f"`{word}` isn't judged for `each`"
        _fail_at(scanner, metric.each.terms[0], message, "write a threshold for each")
    if metric.size is None:
        hint = f"write what its matrix varies: `{metric.agg.examples[0]}`"
        message = f"`{word}` needs to know over what size"
        scanner.fail(message, start, length=len(word), hint=hint)


_OWNERS: Final[Mapping[Population, str]] = {
    Population.ITERATION: "an iteration",
    Population.GROUP: "a group",
    Population.GAUGE: "a gauge",
}


def _check_measure(scanner: Scanner, metric: Metric) -> None:
    word, at = metric.measure.word, metric.measure_offset
    if metric.measure.is_own and not metric.agg.is_of_own:
        hint = f"write `avg of {word}`, `p95 of {word}` or `rate of {word}`"
        message = f"`{metric.agg.word}` is not computed from a metric of your own"
        scanner.fail(message, at, length=len(word), hint=hint)
    if metric.agg.always_of is not None and metric.population is Population.REQUEST:
        return
    owner = _OWNERS.get(metric.population)
    if owner is not None:
        hint = f"leave out `{word}`, or name requests"
        scanner.fail(f"{owner} has no `{word}`", at, length=len(word), hint=hint)
    if metric.agg.argument is ArgumentKind.TARGET and metric.measure.unit is not Unit.DURATION:
        message = f"`{metric.agg.word}` is about times, and `{word}` is a {metric.measure.unit}"
        hint = f"leave out `{word}`, or write `p95 {word}` with a limit of its own"
        scanner.fail(message, at, length=len(word), hint=hint)


def _check_among(scanner: Scanner, metric: Metric, among: Selector) -> None:
    check_mixture(scanner, AllOf(tuple(selector.picked for selector in metric.selectors)))
    if metric.selector is not None and metric.selector.is_each and among.is_each:
        message = "`each` belongs to `of` or to `among`, not to both"
        _fail_at(scanner, among.terms[0], message, "leave out one of them")


def _check_population(scanner: Scanner, metric: Metric) -> None:
    """Refuse iterations where only requests have what is counted."""
    assert metric.selector is not None  # without one it is about requests
    terms = metric.selector.terms
    term = next(one for one in terms if one.kind is SelectorKind.ITERATION)
    word = metric.agg.word
    hint = f"name requests: `{word}`, or `{word} of task:NAME`"
    if term.name:
        hint = f"name requests: `{word} of user:{quoted(term.name)}`"
    _fail_at(scanner, term, f"an iteration has no `{word}`", hint)


def _check_selector(scanner: Scanner, agg: Aggregation, selector: Selector) -> None:
    first = selector.terms[0]
    is_any = selector.is_each and selector.root == first and first.form is NameForm.ANY
    if agg.is_of_arrivals and is_any and first.kind is SelectorKind.PHASE:
        return
    match agg.selector:
        case SelectorUse.OPTIONAL | SelectorUse.REQUIRED:
            return
        case SelectorUse.NEVER:
            message = f"`{agg.word}` is about a phase and takes no `of`"
            _fail_at(scanner, first, message, f"write `{agg.word} in phase NAME`")
        case SelectorUse.USER_CLASS:
            if not (selector.root == first and first.kind is SelectorKind.USER):
                message = f"`{agg.word}` is about one user class"
                _fail_at(scanner, first, message, f"write `{agg.word} of user:NAME`")
        case _ as unreachable:
            assert_never(unreachable)


def _check_window(scanner: Scanner, agg: Aggregation, window: Window, start: int) -> None:
    length = len(agg.word)
    match agg.window:
        case WindowUse.ANY:
            return
        case WindowUse.NEVER:
            hint = "leave out `for`" if agg.is_of_sizes else "leave out `over`"
            scanner.fail(f"`{agg.word}` has no windows", start, length=length, hint=hint)
        case WindowUse.SINGLE:
            if window.count > 1:
                message = f"`{agg.word} over` takes the largest of all windows"
                scanner.fail(message, start, length=length, hint="leave out `for`")
        case _ as unreachable:
            assert_never(unreachable)


def _fail_at(scanner: Scanner, term: Term, message: str, hint: str) -> NoReturn:
    scanner.fail(message, term.offset, length=term.end - term.offset, hint=hint)


def parse_limit(scanner: Scanner, metric: Metric | Ratio) -> ThresholdValue:
    """Take the limit: an amount in a unit that fits the metric, or a share of the baseline.

    Raises:
        ThresholdSyntaxError: There is none, or it doesn't fit.
    """
    allowed = (Unit.NUMBER,) if isinstance(metric, Ratio) else units_of(metric)
    text = scanner.peek_value()
    start = scanner.at
    if not text:
        scanner.fail(
            f"expected a {allowed[0]}, found {scanner.found()}",
            hint=f"write one such as `{_EXAMPLES[allowed[0]]}`",
        )
    scanner.skip(text)
    if scanner.take_word("of"):
        return _of_baseline(scanner, metric, text, start)
    unit = unit_of(text)
    try:
        if unit not in allowed:
            unit = _only_zero(scanner, metric, allowed[0], text, start)
        value = ThresholdValue(unit, parse_amount(text, unit), text, offset=start)
    except UnitError as wrong:
        scanner.fail(wrong.message, start, length=len(text), hint=wrong.hint)
    greatest = None if isinstance(metric, Ratio) else metric.agg.greatest
    if isinstance(metric, Metric) and greatest is not None and value.amount > greatest:
        message = f"`{metric.agg.word}` is at most {greatest:g}"
        scanner.fail(message, start, length=len(text), hint=f"write `{0.9 * greatest:g}`")
    return value


def _of_baseline(scanner: Scanner, metric: Metric | Ratio, text: str, start: int) -> ThresholdValue:
    if not scanner.take_word("baseline"):
        scanner.fail(
            f"expected `baseline`, found {scanner.found()}",
            hint="write `110% of baseline`; put `of SELECTOR` before the limit",
        )
    if isinstance(metric, Ratio):
        scanner.fail("a ratio has no baseline", start, hint="write a number such as `1.5`")
    if not metric.agg.has_baseline:
        example = _EXAMPLES[units_of(metric)[0]]
        message = f"`{metric.agg.word}` has no baseline"
        scanner.fail(message, start, length=len(text), hint=f"write a limit such as `{example}`")
    try:
        return ThresholdValue(
            Unit.PERCENT, parse_amount(text, Unit.PERCENT), text, of_baseline=True
        )
    except UnitError as wrong:
        scanner.fail(wrong.message, start, length=len(text), hint=wrong.hint)


def _only_zero(
    scanner: Scanner, metric: Metric | Ratio, expected: Unit, text: str, start: int
) -> Unit:
    """Return `expected` for a 0, which needs no unit; anything else is in the wrong unit."""
    written = unit_of(text)
    amount = _amount_or_none(text, written)
    # What is no amount at all fails later, with a message that says what is wrong with it.
    if amount is not None and (amount or written is not Unit.NUMBER):
        _wrong_unit(scanner, metric, expected, text, start)
    return expected


def _wrong_unit(
    scanner: Scanner, metric: Metric | Ratio, expected: Unit, text: str, start: int
) -> NoReturn:
    name = "ratio" if isinstance(metric, Ratio) else metric.agg_text
    if unit_of(text) is Unit.NUMBER:
        message = f"`{text}` needs a unit: `{name}` is a {expected}"
    else:
        message = f"`{name}` is a {expected}, which `{text}` is not"
    hint = _joined_hint(scanner, expected, text) or _unit_hint(metric, expected, text)
    scanner.fail(message, start, length=len(text), hint=hint)


def _amount_or_none(text: str, unit: Unit) -> float | None:
    try:
        return parse_amount(text, unit)
    except UnitError:
        return None


def _joined_hint(scanner: Scanner, expected: Unit, text: str) -> str:
    """`500 ms` is one word written as two."""
    joined = text + scanner.peek_value()
    if joined == text or unit_of(joined) is not expected:
        return ""
    return "" if _amount_or_none(joined, expected) is None else f"write `{joined}`"


_MISSING_UNITS: Final[Mapping[Unit, str]] = {
    Unit.DURATION: "write `{0}ms` or `{0}s`",
    Unit.RATE: "write `{0}/s` or `{0}/m`",
    Unit.PERCENT: "write `{0}%`",
    Unit.SIZE: "write `{0}MB`",
}


def _unit_hint(metric: Metric | Ratio, expected: Unit, text: str) -> str:
    written = unit_of(text)
    if written is Unit.NUMBER and expected in _MISSING_UNITS:
        if expected is Unit.PERCENT and float(text) < 1:
            return f"write `{float(text) * 100:g}%`, or `{text}%` if that is meant"
        return _MISSING_UNITS[expected].format(text)
    hint = "" if isinstance(metric, Ratio) else metric.agg.other_units.get(written, "")
    return hint or f"write a {expected} such as `{_EXAMPLES[expected]}`"
