"""Which limits fit which metric: the unit of the value, and what may stand in `of` and `over`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from planrunner.metrics.thresholds.model import Agg, Metric, Ratio
from planrunner.metrics.thresholds.scanner import Scanner
from planrunner.metrics.thresholds.selector import Selector, SelectorKind, Term
from planrunner.metrics.thresholds.units import units_of
from planrunner.metrics.thresholds.value import ThresholdValue, Unit, parse_amount, unit_of
from planrunner.units import UnitError

__all__ = ["check_metric", "parse_limit"]

_OF_GAUGES: Final = frozenset({Agg.AVG, Agg.MIN, Agg.MAX, Agg.MED, Agg.PERCENTILE, Agg.GROWTH})
# They look at arrivals or at a search, not at samples.
_WITHOUT_SELECTOR: Final = frozenset(
    {Agg.ACHIEVED_RATE, Agg.DROPPED, Agg.LATE, Agg.MAX_SUSTAINABLE}
)
_WITHOUT_WINDOW: Final = frozenset({Agg.MIX_ERROR, Agg.MAX_SUSTAINABLE})
_EXAMPLES: Final[Mapping[Unit, str]] = {
    Unit.DURATION: "500ms",
    Unit.RATE: "100/s",
    Unit.PERCENT: "1%",
    Unit.SIZE: "100MB",
    Unit.NUMBER: "10",
}


def check_metric(metric: Metric, scanner: Scanner, start: int) -> None:
    """Refuse clauses that the aggregation has no use for.

    Raises:
        ThresholdSyntaxError: At the selector, or at `start` where it has none.
    """
    agg = metric.agg
    if metric.gauge is not None and agg not in _OF_GAUGES:
        _fail_at(scanner, metric.gauge, f"a gauge has no `{agg}`", "use avg, max, p95 or growth")
    if agg is Agg.RATE and metric.selector is None:
        scanner.fail(
            "`rate` needs to know of what",
            start,
            length=len(agg),
            hint="write `rate of status:5xx < 1%`, or `throughput` for requests a second",
        )
    if metric.selector is not None:
        _check_selector(scanner, agg, metric.selector)
    if metric.window is not None and agg in _WITHOUT_WINDOW:
        scanner.fail(f"`{agg}` has no windows", start, length=len(agg), hint="leave out `over`")
    if metric.window is not None and agg is Agg.GROWTH and metric.window.count > 1:
        scanner.fail(
            "`growth over` takes the largest of all windows",
            start,
            length=len(agg),
            hint="leave out `for`",
        )


def _check_selector(scanner: Scanner, agg: Agg, selector: Selector) -> None:
    first = selector.terms[0]
    if agg in _WITHOUT_SELECTOR:
        _fail_at(
            scanner,
            first,
            f"`{agg}` is about a phase and takes no `of`",
            f"write `{agg} in phase NAME`",
        )
    if agg is Agg.MIX_ERROR and not (selector.root == first and first.kind is SelectorKind.USER):
        _fail_at(
            scanner, first, "`mix_error` is about one user class", "write `mix_error of user:NAME`"
        )


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
    if isinstance(metric, Metric) and metric.agg is Agg.APDEX and value.amount > 1:
        scanner.fail("an apdex is at most 1", start, length=len(text), hint="write `0.9`")
    return value


def _of_baseline(scanner: Scanner, metric: Metric | Ratio, text: str, start: int) -> ThresholdValue:
    if not scanner.take_word("baseline"):
        scanner.fail(
            f"expected `baseline`, found {scanner.found()}",
            hint="write `110% of baseline`; `of SELECTOR` stands before the limit",
        )
    if isinstance(metric, Ratio):
        scanner.fail("a ratio has no baseline", start, hint="write a number such as `1.5`")
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
_OTHER_AGGS: Final[Mapping[tuple[Agg, Unit], str]] = {
    (Agg.RATE, Unit.RATE): "write `throughput of SELECTOR` for requests a second",
    (Agg.ERROR_RATE, Unit.RATE): "write a percentage such as `1%`",
    (Agg.ERRORS, Unit.PERCENT): "write `error_rate` for a percentage",
    (Agg.COUNT, Unit.PERCENT): "write `rate of SELECTOR` for a percentage",
    (Agg.DROPPED, Unit.PERCENT): "write `achieved_rate > 99%` for the share that was sent",
    (Agg.LATE, Unit.PERCENT): "write a number of arrivals, such as `10`",
}


def _unit_hint(metric: Metric | Ratio, expected: Unit, text: str) -> str:
    written = unit_of(text)
    if written is Unit.NUMBER and expected in _MISSING_UNITS:
        if expected is Unit.PERCENT and float(text) < 1:
            return f"write `{float(text) * 100:g}%`, or `{text}%` if that is meant"
        return _MISSING_UNITS[expected].format(text)
    hint = "" if isinstance(metric, Ratio) else _OTHER_AGGS.get((metric.agg, written), "")
    return hint or f"write a {expected} such as `{_EXAMPLES[expected]}`"
