"""What `each` of a threshold stands for in this run, as far as the plan says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from planrunner.compiler.thresholds.measures import lacking_measure
from planrunner.compiler.thresholds.names import KnownTargets
from planrunner.compiler.thresholds.sites import sites_of
from planrunner.metrics.judging.singles import metric_of_single, names_of_singles
from planrunner.metrics.series import Labels
from planrunner.metrics.thresholds import Metric, Threshold
from planrunner.metrics.thresholds.selector import SelectorKind

__all__ = ["excepts_all", "excepts_what_runs", "singles_of"]


def singles_of(metric: Metric, names: KnownTargets) -> tuple[str, ...]:
    """Return the names of those that this run is meant to have, in the order of the plan.

    One that can't have the measure, or expects nothing, is not among them: it isn't what the
    threshold is about.
    """
    return _singles(metric, names, names.sites_in(metric))


def _singles(metric: Metric, names: KnownTargets, sites: Iterable[Labels]) -> tuple[str, ...]:
    each = metric.each
    if each is None:
        return ()
    found = dict.fromkeys(
        name
        for site in sites
        if not (metric.agg.is_of_arrivals and site.phase not in names.timed)
        and not (metric.agg.is_of_expectations and not site.expectations)
        for name in names_of_singles(metric, site)
    )
    is_phase = each.terms[0].kind is SelectorKind.PHASE
    return tuple(
        name
        for name in found
        if is_phase or lacking_measure(metric_of_single(metric, name), names) is None
    )


def excepts_all(metric: Metric, names: KnownTargets) -> bool:
    """Whether `except` takes away all that `each` would stand for, whatever of the plan runs."""
    if not _leaves_nothing(metric, names):
        return False
    anywhere = (
        site
        for phase in names.stages
        if metric.scope.takes(phase)
        for program in names.everyone
        for site in sites_of(phase, program)
        if site.kind == metric.population
    )
    return not _singles(metric, names, anywhere)


def excepts_what_runs(threshold: Threshold, names: KnownTargets) -> str:
    """Return why a threshold does not apply: `except` leaves nothing of this run; else nothing."""
    if any(_leaves_nothing(metric, names) for metric in threshold.metrics):
        return "nothing runs but what `except` takes away"
    return ""


def _leaves_nothing(metric: Metric, names: KnownTargets) -> bool:
    """Whether `except` takes away all that `each` would stand for in this run."""
    each = metric.each
    if each is None or each.excepted is None or singles_of(metric, names):
        return False
    everything = replace(each, excepted=None)
    if metric.among is each:
        return bool(singles_of(replace(metric, among=everything), names))
    return bool(singles_of(replace(metric, selector=everything), names))
