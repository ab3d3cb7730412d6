"""Thresholds → the same question in PromQL, over the last minute or the threshold's own window."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import re2

from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import LATENCY
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.thresholds import Metric, Operator, Threshold
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
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["DEFAULT_WINDOW_S", "NoQuery", "broken_expression", "quoted_text", "window_s"]

DEFAULT_WINDOW_S: Final = 60
"""How far a query looks back whose threshold judges a phase as a whole."""

_BROKEN_WHEN: Final[Mapping[Operator, str]] = {
    Operator.LESS: ">=",
    Operator.AT_MOST: ">",
    Operator.GREATER: "<=",
    Operator.AT_LEAST: "<",
    Operator.EQUAL: "!=",
    Operator.NOT_EQUAL: "==",
}

_LABELS: Final[Mapping[SelectorKind, str]] = {
    SelectorKind.REQUEST: "request",
    SelectorKind.TASK: "task",
    SelectorKind.USER: "user",
    SelectorKind.PHASE: "phase",
    SelectorKind.STATUS: "status",
    SelectorKind.ERROR: "kind",
}

_GAUGES: Final = {"loop_lag": "generator_loop_lag_seconds", "cpu": "generator_cpu_ratio"}
_OVER_TIME: Final = {"avg": "avg", "min": "min", "max": "max", "last": "last", "stddev": "stddev"}
_MEDIAN: Final = 50.0
_CLASS: Final = re.compile(r"([1-5])xx")


class NoQuery(Exception):  # noqa: N818 - an answer, and no fault
    """No query asks what a threshold asks; the text says why, as part of a sentence."""


@dataclass(frozen=True, slots=True)
class _Page:
    """Of which series a query picks some."""

    prefix: str
    plan: str

    def series(self, name: str, *matchers: str) -> str:
        own = [f"plan={quoted_text(self.plan)}"] if self.plan else []
        return f"{self.prefix}_{name}{{{','.join((*own, *matchers))}}}"


def quoted_text(text: str) -> str:
    """Return a text as PromQL writes it: JSON's escapes are among those of Go."""
    return json.dumps(text, ensure_ascii=False)


def window_s(threshold: Threshold) -> int:
    """Return the seconds that a query of it looks back."""
    metric = threshold.metric
    window = metric.window if isinstance(metric, Metric) else None
    return DEFAULT_WINDOW_S if window is None else max(1, window.length_ns // NS_PER_S)


def broken_expression(threshold: Threshold, *, prefix: str, plan: str) -> str:
    """Return what has a value as long as a threshold does not hold.

    Args:
        threshold: Of the plan.
        prefix: That of the metrics.
        plan: Its name; empty: of any.

    Raises:
        NoQuery: What it looks at is not on the page.
    """
    if threshold.not_applicable:
        raise NoQuery(threshold.not_applicable)
    if threshold.value.of_baseline:
        raise NoQuery("the page of metrics has no baseline")
    if not isinstance(threshold.metric, Metric):
        raise NoQuery("a ratio of two metrics is judged by planrunner only")
    asked = _value(threshold, threshold.metric, _Page(prefix, plan))
    amount = threshold.value.amount
    limit = amount / NS_PER_S if threshold.value.unit is Unit.DURATION else amount
    return f"{asked} {_BROKEN_WHEN[threshold.op]} {limit:.10g}"


def _value(threshold: Threshold, metric: Metric, page: _Page) -> str:
    within = f"[{window_s(threshold)}s]"
    if metric.population is Population.GAUGE:
        return _gauge(metric, page, within)
    if metric.population is not Population.REQUEST:
        raise NoQuery("only requests are on the page of metrics")
    if metric.agg.word == "dropped":
        return _dropped(threshold, metric, page)
    if metric.agg.is_of_values:
        return _duration(metric, page, within)
    return _counted(metric, page, within)


def _duration(metric: Metric, page: _Page, within: str) -> str:
    if metric.measure != LATENCY:
        raise NoQuery(f"of durations only latency is on the page, not {metric.measure.word}")
    matchers = _matchers(metric, metric.selector)
    if any(one.startswith(("status", "kind")) for one in matchers):
        raise NoQuery("durations are not kept by status or failure")
    by = _by(metric)
    name = "request_duration_seconds"
    word = metric.agg.word
    if word in ("p", "med"):
        quantile = (metric.argument if word == "p" else _MEDIAN) / 100
        buckets = page.series(f"{name}_bucket", *matchers)
        by_all = ", ".join(("le", *by))
        return f"histogram_quantile({quantile:.10g}, sum by ({by_all}) (rate({buckets}{within})))"
    if word != "avg":
        raise NoQuery(f"a histogram of Prometheus has no `{word}`")
    total, count = (page.series(f"{name}_{what}", *matchers) for what in ("sum", "count"))
    return _per(by, total, count, within)


def _counted(metric: Metric, page: _Page, within: str) -> str:
    """Return a count since the start of the run, or a share or a rate over the window."""
    matchers, by, word = _matchers(metric, metric.selector), _by(metric), metric.agg.word
    picked = page.series(_counter(matchers), *matchers)
    match word:
        case "count":
            return _sum(by, picked)
        case "errors":
            return _sum(by, page.series("errors_total", *matchers))
        case "throughput":
            return _sum(by, f"rate({picked}{within})")
        case "error_rate":
            failed, whole = page.series("errors_total", *matchers), picked
        case "rate" | "share":
            among = _matchers(metric, metric.among)
            failed, whole = picked, page.series(_counter(among), *among)
        case _:
            raise NoQuery(f"`{word}` needs what is not on the page of metrics")
    return _per(by, failed, whole, within)


def _counter(matchers: Iterable[str]) -> str:
    return "errors_total" if any(one.startswith("kind") for one in matchers) else "requests_total"


def _dropped(threshold: Threshold, metric: Metric, page: _Page) -> str:
    if threshold.value.unit is not Unit.NUMBER:
        raise NoQuery("how many arrivals were due is not on the page of metrics")
    return f"sum({page.series('dropped_total', *_scope(metric))})"


def _gauge(metric: Metric, page: _Page, within: str) -> str:
    term = metric.gauge
    name = _GAUGES.get(term.name) if term and term.kind is SelectorKind.GENERATOR else None
    if name is None or metric.scope.terms:
        raise NoQuery("of gauges only the generator's are on the page, for the whole run")
    series, word = page.series(name), metric.agg.word
    if word in ("p", "med"):
        quantile = (metric.argument if word == "p" else _MEDIAN) / 100
        return f"quantile_over_time({quantile:.10g}, {series}{within})"
    if word not in _OVER_TIME:
        raise NoQuery(f"`{word}` of a gauge is judged by planrunner only")
    return f"{_OVER_TIME[word]}_over_time({series}{within})"


def _per(by: tuple[str, ...], part: str, whole: str, within: str) -> str:
    """Return how much of one counter there was per unit of another."""
    return f"{_sum(by, f'rate({part}{within})')} / {_sum(by, f'rate({whole}{within})')}"


def _sum(by: tuple[str, ...], inner: str) -> str:
    return f"sum by ({', '.join(by)}) ({inner})" if by else f"sum({inner})"


def _by(metric: Metric) -> tuple[str, ...]:
    """Return the label of what is judged one by one."""
    each = metric.each
    return () if each is None else (_label_of(each.terms[0]),)


def _matchers(metric: Metric, selector: Selector | None) -> tuple[str, ...]:
    picked = () if selector is None else tuple(_match(selector.picked, negated=False))
    return (*_scope(metric), 'warmup="false"', *picked)


def _scope(metric: Metric) -> tuple[str, ...]:
    scope = metric.scope
    if scope.stage is not None:
        raise NoQuery("stages are not on the page of metrics")
    if scope.chosen is not None:
        return (_any_of("phase", map(_escaped, sorted(scope.chosen)), negated=False),)
    if scope.profile is not None:
        raise NoQuery("profiles are not on the page of metrics")
    return () if scope.phase is None else tuple(_match(scope.phase, negated=False))


def _match(matcher: Matcher, *, negated: bool) -> Iterator[str]:
    """Yield label matchers that hold together where the selection does."""
    match matcher:
        case Term():
            if matcher.form is not NameForm.ANY or negated:
                yield _any_of(_label_of(matcher), [_regex(matcher)], negated=negated)
        case NotTerm(part):
            yield from _match(part, negated=not negated)
        case AllOf(parts) | AnyOf(parts):
            if isinstance(matcher, AnyOf) is negated:  # all of them, or none of them
                for part in parts:
                    yield from _match(part, negated=negated)
            else:
                yield _joined(parts, negated=negated)


def _joined(parts: Sequence[Matcher], *, negated: bool) -> str:
    """Return one matcher for any of several names of one label."""
    terms = [part for part in parts if isinstance(part, Term)]
    labels = {_label_of(term) for term in terms}
    if negated or len(labels) != 1 or len(terms) != len(parts):
        raise NoQuery("PromQL has no `or` between labels")
    return _any_of(labels.pop(), map(_regex, terms), negated=False)


def _label_of(term: Term) -> str:
    label = _LABELS.get(term.kind)
    if label is None or term.form is NameForm.ACTION:
        what = "an action" if term.form is NameForm.ACTION else f"`{term.kind}`"
        raise NoQuery(f"the page of metrics has no label for {what}")
    return label


def _regex(term: Term) -> str:
    """Return what Prometheus matches with a whole value of a label."""
    if term.form is NameForm.PATTERN:
        return _searching(term.name)
    if term.form is NameForm.GLOB:
        return ".*".join(map(_escaped, term.name.split("*")))
    found = _CLASS.fullmatch(term.name)
    if term.kind is SelectorKind.STATUS and found:
        return f"{found[1]}.."
    return _escaped(term.name)


def _searching(pattern: str) -> str:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error:  # a rule that can't be read would keep Prometheus from its other rules
        raise NoQuery("RE2, which Prometheus uses, has no such regular expression") from None
    return f".*(?:{pattern}).*"


def _escaped(text: str) -> str:
    return re.escape(text).replace("\\ ", " ")


def _any_of(label: str, regexes: Iterable[str], *, negated: bool) -> str:
    alternatives = "|".join(regexes)
    plain = re.sub(r"\\(.)", r"\1", alternatives)
    if _escaped(plain) == alternatives:  # nothing in it is special
        return f"{label}{'!=' if negated else '='}{quoted_text(plain)}"
    return f"{label}{'!~' if negated else '=~'}{quoted_text(alternatives)}"
