"""A threshold as an English sentence: what is measured, when it is judged, what a breach means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from planrunner.metrics.aggregations.record import ArgumentKind, WindowUse
from planrunner.metrics.measures import LATENCY
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.thresholds.model import (
    Metric,
    OnNoData,
    Operator,
    Ratio,
    Threshold,
    ThresholdLevel,
    ThresholdScope,
)
from planrunner.metrics.thresholds.selector import (
    AllOf,
    AnyOf,
    Matcher,
    NotTerm,
    Population,
    Selector,
    SelectorKind,
    Term,
)
from planrunner.units import write_duration

__all__ = ["describe"]


def describe(threshold: Threshold) -> str:
    """Return what the threshold means, for `explain`: a sentence without the full stop.

    `the 95th percentile of the latency of "GET /" in phase high must be below 500 ms, judged when
    the run is over; a breach fails the run, and having no samples is a breach`
    """
    if isinstance(threshold.metric, Ratio):
        ratio = threshold.metric
        subject = f"{_subject(ratio.dividend, threshold)}, divided by "
        subject += f"{_subject(ratio.divisor, threshold)},"
    else:
        subject = _subject(threshold.metric, threshold)
    condition = f"{_OPERATORS[threshold.op]} {threshold.value.shown}"
    words = f"{subject} {condition}, {_when(threshold)}; {_breach(threshold)}"
    if threshold.each is not None and threshold.singles:
        words += f"; this run has {_few_names(threshold.singles)}"
    if threshold.not_applicable:
        return f"{words}; it does not apply to this run: {threshold.not_applicable}"
    return words


_OPERATORS: Final[Mapping[Operator, str]] = {
    Operator.LESS: "must be below",
    Operator.AT_MOST: "must be at most",
    Operator.GREATER: "must be above",
    Operator.AT_LEAST: "must be at least",
    Operator.EQUAL: "must be exactly",
    Operator.NOT_EQUAL: "must not be",
}
_NOUNS: Final[Mapping[Population, str]] = {
    Population.REQUEST: "requests",
    Population.ITERATION: "iterations",
    Population.GROUP: "runs of groups",
    Population.GAUGE: "values",
}


def _subject(metric: Metric, threshold: Threshold) -> str:
    return f"{_measured(metric, threshold)} {_each_phase(metric) or _place(metric.scope)}"


def _measured(metric: Metric, threshold: Threshold) -> str:
    agg = metric.agg
    selector = metric.selector
    return agg.phrase_in.get(threshold.value.unit, agg.phrase).format(
        of=_picked(metric),
        all=_all(metric),
        argument=_argument(metric),
        user=_user(selector),
        size=metric.size.name if metric.size is not None else "",
    )


def _all(metric: Metric) -> str:
    """Say what a share is taken of."""
    among = metric.among
    return (
        f"all {_NOUNS[metric.population]}" if among is None else _selected(among, metric.population)
    )


def _user(selector: Selector | None) -> str:
    if selector is None:
        return "any class"
    return "each user class" if selector.is_each else _term(selector.terms[0])


def _argument(metric: Metric) -> str:
    match metric.agg.argument:
        case ArgumentKind.NONE:
            return ""
        case ArgumentKind.PERCENT:
            return f"{metric.argument:g}{_ending(metric.argument)}"
        case ArgumentKind.TARGET:
            return write_duration(int(metric.argument))
        case _ as unreachable:
            assert_never(unreachable)


def _picked(metric: Metric) -> str:
    if metric.gauge is not None:
        return str(metric.gauge)
    is_named = metric.agg.is_of_values or metric.agg.is_of_sizes or metric.measure != LATENCY
    the = "" if metric.measure.is_own else "the "
    of = f"{the}{metric.measure.noun} of " if is_named else ""
    if metric.population is not Population.REQUEST and of:
        of = "the duration of "
    if metric.selector is None:
        return f"{of}all {_NOUNS[metric.population]}"
    return f"{of}{_selected(metric.selector, metric.population)}"


def _is_by_phase(selector: Selector) -> bool:
    return selector.is_each and selector.terms[0].kind is SelectorKind.PHASE


def _each_phase(metric: Metric) -> str:
    """Say which phases are judged one by one; empty where something else is, or nothing."""
    each = metric.each
    if each is None or not _is_by_phase(each):
        return ""
    stage = metric.scope.stage
    where = f"in stage {stage.name} of" if stage is not None else "in"
    first = _term(each.terms[0]).removeprefix("any ")
    return f"{where} each {first}{_excepted(each)} by itself"


def _excepted(selector: Selector) -> str:
    return "" if selector.excepted is None else f" except {_selection(selector.excepted)}"


def _selected(selector: Selector, population: Population) -> str:
    root = selector.root
    noun = _NOUNS[population]
    if selector.is_each:
        return _each(selector, noun)
    if isinstance(root, Term):
        match root.kind:
            case SelectorKind.ITERATION:
                is_any = root.form is NameForm.ANY
                return f"all {noun}" if is_any else f"{noun} of {_term(root)}"
            case SelectorKind.GROUP:
                return _term(root)
            case SelectorKind.REQUEST:
                return _term(root)
            case _:
                return f"{noun} with {_term(root)}"
    return f"{noun} with {_selection(root)}"


def _each(selector: Selector, noun: str) -> str:
    """Say what is judged one by one, and what is left out of it."""
    root: Matcher = selector.root
    rest = ""
    if isinstance(root, AllOf) and isinstance(root.parts[0], Term):
        rest = f" with {_selection(AllOf(root.parts[1:]))}"
        root = root.parts[0]
    if _is_by_phase(selector):  # which is said where scopes are
        return f"{noun}{rest}" if rest else f"all {noun}"
    if not isinstance(root, Term):
        words = f"each of the {noun} with {_selection(root)}"
    elif root.kind is SelectorKind.TAG:
        words = f"each value of {_term(root)}"
    else:
        whose = f"{noun} of " if root.kind is SelectorKind.ITERATION else ""
        words = f"{whose}each {_term(root).removeprefix('any ')}"
    return f"{words}{rest}{_excepted(selector)} by itself"


def _selection(selection: Matcher) -> str:
    match selection:
        case Term():
            return _term(selection)
        case NotTerm(part):
            return f"not {_nested(part)}"
        case AllOf(parts):
            return " and ".join(_nested(part) for part in parts)
        case AnyOf(parts):
            return " or ".join(_nested(part) for part in parts)
        case _:
            assert_never(selection)


def _nested(selection: Matcher) -> str:
    words = _selection(selection)
    return words if isinstance(selection, Term | NotTerm) else f"({words})"


def _term(term: Term) -> str:
    noun = _KINDS.get(term.kind, term.kind)
    if term.form is NameForm.ANY:
        return f"any {noun}"
    if term.form is NameForm.ACTION:
        return f"any {term.name}"
    if term.form.is_pattern and term.value is None:
        return f"any {noun} like {term.shown}"
    if term.kind is SelectorKind.REQUEST:
        return f'"{term.name}"'
    if term.form.is_pattern:
        return f"{noun} {term.name} like {term.shown}"
    value = "" if term.value is None else f"={term.value}"
    return f"{noun} {term.name}{value}"


_KINDS: Final[Mapping[SelectorKind, str]] = {
    SelectorKind.USER: "user class",
    SelectorKind.ITERATION: "user class",
    SelectorKind.ERROR: "failure",
}


def _place(scope: ThresholdScope) -> str:
    if not scope.terms:
        return "over all phases together"
    inside_out = [f"{term.kind} {term.name}" for term in reversed(scope.terms)]
    return f"in {' of '.join(inside_out)}"


def _when(threshold: Threshold) -> str:
    window, abort = threshold.window, threshold.abort
    checked = "when the run is over"
    if abort is not None:
        after = f", from {write_duration(abort.after_ns)} after the start" if abort.after_ns else ""
        checked = f"once a second{after}"
    if window is None:
        return f"judged {checked}"
    length = write_duration(window.length_ns)
    if isinstance(threshold.metric, Metric) and threshold.metric.agg.window is WindowUse.SINGLE:
        return f"judged over any {length}, {checked}"
    row = f", {window.count} of them in a row" if window.count > 1 else ""
    return f"judged over each {length} after the warm-up{row}, {checked}"


def _breach(threshold: Threshold) -> str:
    means = "is a warning" if threshold.level is ThresholdLevel.WARN else "fails the run"
    if threshold.abort is not None:
        means = f"ends the run at once and {means}"
    return f"a breach {means}, {_NO_DATA[threshold.on_no_data]}"


_NO_DATA: Final[Mapping[OnNoData, str]] = {
    OnNoData.FAIL: "and having no samples is a breach",
    OnNoData.PASS: "but having no samples is not a breach",
    OnNoData.SKIP: "and it is not judged without samples",
}


_MOST_NAMES: Final = 8


def _few_names(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    shown = ", ".join(f'"{name}"' for name in names[:_MOST_NAMES])
    return f"{len(names)} of them: {shown}" + (f" and {more} more" if more > 0 else "")


def _ending(number: float) -> str:
    if number % 1 or 11 <= number <= 13:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(int(number) % 10, "th")
