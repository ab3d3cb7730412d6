"""Thresholds that are right by the rules and seldom mean what their authors think."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.thresholds import Metric, Threshold
from planrunner.metrics.thresholds.selector import SelectorKind

__all__ = ["threshold_notices"]


def threshold_notices(thresholds: Iterable[Threshold]) -> Iterator[str]:
    """Say that the rate of a tag's value is of all requests, and not of those with the tag."""
    for threshold in thresholds:
        if threshold.not_applicable or not isinstance(threshold.metric, Metric):
            continue
        metric = threshold.metric
        if metric.agg is not AGGREGATIONS["rate"] or metric.selector is None:
            continue
        for term in metric.selector.terms:
            if term.kind is SelectorKind.TAG and term.value:
                yield (
                    f"`{threshold.text or threshold}` is a share of all requests, those without "
                    f"the tag `{term.name}` included; for those that carry it write "
                    f"`ratio(count of {term}, count of tag:{term.name})`"
                )
                break
