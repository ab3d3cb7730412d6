"""What `each` stands for: which of them a sample belongs to, and the threshold of one alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from planrunner.errors import Misuse
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.series import Labels
from planrunner.metrics.thresholds.model import Metric, Threshold, ThresholdScope
from planrunner.metrics.thresholds.selector import (
    AllOf,
    Matcher,
    NotTerm,
    Selector,
    SelectorKind,
    Term,
)

__all__ = ["metric_of_single", "names_of_singles", "nouns_of_singles", "threshold_of_single"]


def names_of_singles(metric: Metric, labels: Labels) -> tuple[str, ...]:
    """Return to which of `each` samples like these belong; to several groups at once, say.

    Args:
        metric: With `each`.
        labels: Of its population. Their status and failure may be others with the next sample.
    """
    selector, among = metric.each, metric.among
    if selector is None or not (among is None or among.could_pick(labels)):
        return ()
    first = selector.terms[0]
    if first.kind is SelectorKind.GROUP and len(labels.groups) > 1:
        alone = (replace(labels, groups=(name,)) for name in labels.groups)
        return tuple(one.groups[0] for one in alone if selector.could_pick(one))
    return tuple(name for name in _names(first, labels) if name and selector.could_pick(labels))


def _names(term: Term, labels: Labels) -> tuple[str, ...]:
    match term.kind:
        case SelectorKind.REQUEST:
            return (labels.request,)
        case SelectorKind.TASK:
            return (labels.task,)
        case SelectorKind.GROUP:
            return (labels.request,) if labels.kind == SelectorKind.GROUP else labels.groups
        case SelectorKind.TAG:
            return tuple(value for key, value in labels.tags if key == term.name)
        case SelectorKind.PHASE:
            return (labels.phase,)
        case _:
            return (labels.user,)


def threshold_of_single(threshold: Threshold, name: str) -> Threshold:
    """Return the threshold of one of `each` alone."""
    return replace(threshold.remeasured(lambda metric: metric_of_single(metric, name)), singles=())


def metric_of_single(metric: Metric, name: str) -> Metric:
    """Return the metric of one of `each` alone, as if its name stood in the selector."""
    each = metric.each
    if each is None:
        raise Misuse("the metric has no `each`")
    first = each.terms[0]
    alone = _selector_of(each, first, name)
    if first.kind is SelectorKind.PHASE:
        phase = Term(SelectorKind.PHASE, name)
        metric = replace(metric, scope=ThresholdScope(phase=phase, stage=metric.scope.stage))
    if metric.among is each:
        return replace(metric, among=alone)
    return replace(metric, selector=alone)


def _selector_of(each: Selector, first: Term, name: str) -> Selector | None:
    parts: list[Matcher] = [] if _is_implied(each.root, first) else [each.root]
    if first.kind is SelectorKind.TAG:
        parts.append(Term(SelectorKind.TAG, first.name, name))
    elif first.kind is not SelectorKind.PHASE:
        parts.append(Term(first.kind, name))
    if each.excepted is not None and not _is_implied(each.excepted, first):
        parts.append(NotTerm(each.excepted))
    if not parts:
        return None
    return Selector(parts[0] if len(parts) == 1 else AllOf(tuple(parts)))


def _is_implied(selection: Matcher, first: Term) -> bool:
    """Whether the name of a single one says all that this does."""
    return (
        isinstance(selection, Term)
        and selection.kind is first.kind
        and selection.form is not NameForm.ACTION
        and (selection.kind is not SelectorKind.TAG or selection.name == first.name)
    )


_NOUNS: Final = {
    SelectorKind.USER: "user classes",
    SelectorKind.ITERATION: "user classes",
    SelectorKind.TAG: "values",
}


def nouns_of_singles(selector: Selector) -> str:
    """Return what the single ones are called."""
    kind = selector.terms[0].kind
    return _NOUNS.get(kind, f"{kind}s")
