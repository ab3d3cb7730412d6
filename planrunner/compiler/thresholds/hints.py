"""Thresholds that are right by the rules and seldom mean what their authors think."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from planrunner.graph.run_graph import PhaseNode
from planrunner.metrics.amounts import Unit
from planrunner.metrics.thresholds import Metric, Operator, Threshold
from planrunner.metrics.thresholds.selector import SelectorKind
from planrunner.units import write_duration

__all__ = ["threshold_notices"]

_WANTED_LOW: Final = frozenset({"p", "avg", "med", "max", "error_rate"})


def threshold_notices(
    thresholds: Iterable[Threshold], phases: Sequence[PhaseNode]
) -> Iterator[str]:
    """Say what a threshold means where that may surprise its author."""
    for threshold in thresholds:
        metric = threshold.metric
        if threshold.not_applicable or not isinstance(metric, Metric):
            continue
        yield from _share_of_everything(threshold, metric)
        yield from _wanted_high(threshold, metric)
        yield from _never_broken(threshold, metric, phases)


def _share_of_everything(threshold: Threshold, metric: Metric) -> Iterator[str]:
    """Say that the share of a tag's value is of all requests, and not of those with the tag."""
    if not metric.agg.is_share or metric.selector is None or metric.among is not None:
        return
    for term in metric.selector.terms:
        if term.kind is SelectorKind.TAG and term.value:
            yield (
                f"`{threshold.text or threshold}` is a share of all requests, those without "
                f"the tag `{term.name}` included; for those that carry it write "
                f"`share of {metric.selector} among tag:{term.name}`"
            )
            return


def _wanted_high(threshold: Threshold, metric: Metric) -> Iterator[str]:
    """Say that a limit below which a latency must not fall is one: elsewhere it is a criterion."""
    is_floor = threshold.op in (Operator.GREATER, Operator.AT_LEAST)
    is_bad = threshold.value.unit in (Unit.DURATION, Unit.PERCENT) and threshold.value.amount
    is_time = metric.gauge is None and not metric.measure.is_own
    if is_floor and is_bad and is_time and metric.agg.word in _WANTED_LOW:
        yield (
            f"`{threshold.text or threshold}` has to be true for the run to pass: to fail where "
            f"it is true write `<`"
        )


def _never_broken(
    threshold: Threshold, metric: Metric, phases: Sequence[PhaseNode]
) -> Iterator[str]:
    """Say that a row of windows is longer than the one phase that it is looked for in."""
    window = metric.window
    judged = [phase for phase in phases if metric.scope.takes(phase.name)]
    if window is None or window.count < 2 or len(judged) != 1 or judged[0].load.is_search:
        return
    [phase] = judged
    measured_ns = phase.load.planned_ns - phase.warmup_ns
    if window.length_ns * window.count > measured_ns > 0:
        yield (
            f"`{threshold.text or threshold}` can't be broken: phase `{phase.name}` is measured "
            f"for {write_duration(measured_ns)}"
        )
