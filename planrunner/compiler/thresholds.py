"""Thresholds: sentences to values, and every name in them held against the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.threshold_names import Names
from planrunner.language.diagnostics import Code, suggest
from planrunner.metrics.selector import Kind
from planrunner.metrics.threshold import (
    DEFAULT_SENTENCE,
    Agg,
    Level,
    Metric,
    OnNoData,
    Threshold,
    ThresholdSyntaxError,
    parse_threshold,
)
from planrunner.plan.document import PlanPath
from planrunner.plan.thresholds import ThresholdModel

__all__ = ["compile_thresholds"]

_WORDS: Final = {Kind.USER: "user class", Kind.ITERATION: "user class", Kind.ERROR: "failure kind"}
_LATER_AGGS: Final = frozenset({Agg.ACHIEVED_RATE, Agg.DROPPED, Agg.LATE, Agg.MAX_SUSTAINABLE})


def compile_thresholds(
    work: Compilation, models: Sequence[tuple[ThresholdModel, PlanPath]], names: Names
) -> tuple[Threshold, ...]:
    """Compile the plan's thresholds; the default one when it has none."""
    found: list[Threshold] = []
    pair = 0
    for model, path in models:
        sentences = list(model.sentences())
        pair += len(sentences) > 1
        for level, key, text in sentences:
            where = (*path, key) if key else path
            threshold = _threshold(work, text, where, names)
            if threshold is not None:
                found.append(
                    replace(
                        threshold,
                        level=Level(level),
                        pair=pair if len(sentences) > 1 else 0,
                        on_no_data=OnNoData(model.on_no_data or "fail"),
                    )
                )
    if not models:
        return (parse_threshold(DEFAULT_SENTENCE),)
    return tuple(found)


def _threshold(work: Compilation, text: str, path: PlanPath, names: Names) -> Threshold | None:
    settled = work.template(text, path)
    if settled is None:
        return None
    try:
        threshold = parse_threshold(settled)
    except ThresholdSyntaxError as error:
        inside = (error.offset, error.length) if settled == text else None
        work.fault(path, Code.THRESHOLD_SYNTAX, error.message, hint=error.hint, inside=inside)
        return None
    for metric in threshold.metrics:
        _check(work, metric, path, names, exact=settled == text)
    _check_available(work, threshold, path)
    return replace(threshold, place=str(work.span(path)), not_applicable=names.why_not(threshold))


def _check(work: Compilation, metric: Metric, path: PlanPath, names: Names, *, exact: bool) -> None:
    """Hold every name of a metric against the plan; mark the wrong word if the text is exact."""
    phase = metric.scope.phase.name if metric.scope.phase is not None else None
    terms = (*(metric.selector.terms if metric.selector else ()), *metric.scope.terms)
    for term in terms:
        choices = names.choices(term, phase)
        inside = (term.offset, max(1, term.end - term.offset)) if exact else None
        if choices is not None and not names.knows(term, choices):
            whose = f"phase `{phase}`" if term.kind is Kind.STAGE and phase else "the plan"
            message = f"no {_WORDS.get(term.kind, term.kind)} of {whose} is called `{term.name}`"
            hint = suggest(term.name, choices) or _listed(whose, choices)
        elif values := names.unknown_value(term):
            message = f"no sample has the tag `{term.name}={term.value}`"
            hint = suggest(term.value or "", values) or _listed(f"`{term.name}`", values)
        else:
            continue
        work.fault(path, Code.UNKNOWN_SELECTOR, message, hint=hint, inside=inside)


def _listed(owner: str, names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:8]) + (" …" if len(names) > 8 else "")
    return f"{owner} has {shown}" if names else "it has none"


def _check_available(work: Compilation, threshold: Threshold, path: PlanPath) -> None:
    """Note what this version can't judge yet."""
    if threshold.value.of_baseline:
        work.not_available(path, "`of baseline` in a threshold")
    for metric in threshold.metrics:
        if metric.agg in _LATER_AGGS:
            work.not_available(path, f"`{metric.agg}` in a threshold")
        elif metric.gauge is not None and metric.gauge.kind is not Kind.GENERATOR:
            work.not_available(path, f"`{metric.gauge.kind}.` in a threshold")
