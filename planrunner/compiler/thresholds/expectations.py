"""What thresholds look at of some requests only: expectations, work, metrics of the plan's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planrunner.compiler.thresholds.sites import sites_of
from planrunner.errors import PlanrunnerError
from planrunner.graph.run_graph import UserProgram
from planrunner.metrics.series import Labels
from planrunner.metrics.thresholds import Metric
from planrunner.metrics.thresholds.selector import Population

__all__ = ["is_selected", "lacking_expectations", "requests_measured", "senders_asked"]


def requests_measured(programs: Iterable[UserProgram]) -> tuple[Labels, ...]:
    """Return what the samples of each request have in common that is a result, outcomes aside."""
    sites = (site for program in programs for site in sites_of("", program))
    return tuple(dict.fromkeys(site for site in sites if site.kind == Population.REQUEST))


def lacking_expectations(metric: Metric, requests: Iterable[Labels]) -> PlanrunnerError | None:
    """Return what is wrong where none of the requests that the metric selects has expectations.

    Where it selects none at all, something else is wrong.
    """
    selected = list(_selected(metric, requests))
    if not selected or any(labels.expectations for labels in selected):
        return None
    of = "the plan" if metric.selector is None else f"`{metric.selector}`"
    return PlanrunnerError(
        f"no request of {of} has an expectation",
        hint="add an `expect` such as `expect: {status: 200}`; "
        "with `soft: true` in it, a breach does not fail the request",
    )


def senders_asked(metric: Metric, requests: Iterable[Labels]) -> set[tuple[str, str]]:
    """Return the classes and tasks whose requests have what the metric looks at.

    It is of expectations, or of a measure that expressions give.
    """
    word = metric.measure.word if metric.measure.is_recorded else ""
    return {
        (labels.user, labels.task)
        for labels in _selected(metric, requests)
        if (word in labels.records if word else labels.expectations)
    }


def is_selected(metric: Metric, labels: Labels) -> bool:
    """Whether the metric may look at samples of a request."""
    return metric.selector is None or metric.selector.could_pick(labels)


def _selected(metric: Metric, requests: Iterable[Labels]) -> Iterator[Labels]:
    return (one for one in requests if is_selected(metric, one))
