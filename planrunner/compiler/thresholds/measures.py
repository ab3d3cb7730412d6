"""Measures that thresholds name: who has them, and what a run records because of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from planrunner.compiler.thresholds.expectations import is_selected
from planrunner.compiler.thresholds.meant_names import meant_of
from planrunner.compiler.thresholds.names import KnownTargets
from planrunner.compiler.thresholds.sites import streamed_names
from planrunner.errors import PlanrunnerError
from planrunner.graph.run_graph import PhaseNode, SearchLoad
from planrunner.language.diagnostics import suggest
from planrunner.metrics.measures import (
    LATENCY,
    OWN_PREFIX,
    SERVICE_TIME,
    STREAMED,
    WORK,
    Measure,
)
from planrunner.metrics.series import Labels
from planrunner.metrics.thresholds import Metric, Threshold
from planrunner.metrics.thresholds.selector import AllOf, AnyOf, Matcher, NotTerm, Population, Term
from planrunner.protocols import registry

__all__ = ["lacking_measure", "measures_asked_for", "recorded_measures"]

_OF_EVERY_SAMPLE = (LATENCY, SERVICE_TIME)


def lacking_measure(metric: Metric, names: KnownTargets) -> PlanrunnerError | None:
    """Return what is wrong where no request that the metric selects can have its measure."""
    measure = metric.measure
    if measure.is_recorded:
        return _lacking_record(metric, names)
    if measure in _OF_EVERY_SAMPLE or metric.population is not Population.REQUEST:
        return None
    if names.has_tools and measure.word in registry.own_verbs().measures:
        return None  # only the run shows what other tools deliver
    root = None if metric.selector is None else metric.selector.root
    protocols = sorted(names.sent if root is None else _protocols(root, names))
    if any(measure.word in registry.named(name).measures for name in protocols):
        return _lacking_stream(metric, names) if measure in STREAMED else None
    if not protocols:
        return PlanrunnerError(f"no request of the plan has `{measure.word}`")
    titles = [registry.named(name).title for name in protocols]
    words = [one.word for one in _OF_EVERY_SAMPLE]
    words += sorted({word for name in protocols for word in registry.named(name).measures})
    return PlanrunnerError(
        f"{' and '.join(titles)} requests have no `{measure.word}`",
        hint=f"they have {', '.join(f'`{word}`' for word in words)}",
    )


def _lacking_stream(metric: Metric, names: KnownTargets) -> PlanrunnerError | None:
    """Return what is wrong where the replies that the metric selects are all taken as a whole."""
    requests, streamed = names.requests(), streamed_names(names.everyone)
    selected = [one for one in requests if is_selected(metric, one)]
    if names.is_open or not selected or any(one.written in streamed for one in selected):
        return None
    of = "the plan" if metric.selector is None else f"`{metric.selector}`"
    hint = f"it is of {_listed(sorted(streamed))}" if streamed else _how_to_stream(selected)
    return PlanrunnerError(
        f"no request of {of} has `{metric.measure.word}`: only replies that are read piece by "
        "piece have",
        hint=hint,
    )


def _how_to_stream(selected: Sequence[Labels]) -> str:
    """Return how the first of these replies that can would come piece by piece."""
    return next(filter(None, (registry.named(one.protocol).streaming for one in selected)), "")


def _lacking_record(metric: Metric, names: KnownTargets) -> PlanrunnerError | None:
    """Return what is wrong where no request that the metric selects records its measure."""
    word, requests = metric.measure.word, names.requests()
    recording = [one for one in requests if word in one.records]
    if not recording:
        known = sorted({record for one in requests for record in one.records})
        if word == WORK.word:
            hint = "add `work: EXPRESSION` to the step, such as `work: json.rows`"
            return PlanrunnerError("no measured step of the plan has `work`", hint=hint)
        own = [one for one in known if one != WORK.word]
        name = word.removeprefix(OWN_PREFIX)
        hint = suggest(word, own) or (f"the plan records {_listed(own)}" if own else "")
        hint = hint or f"add `record: {{{name}: EXPRESSION}}` to a request"
        return PlanrunnerError(f"no measured step of the plan records `{word}`", hint=hint)
    if any(is_selected(metric, one) for one in recording):
        return None
    if not any(is_selected(metric, one) for one in requests):
        return None  # whatever it selects is not there, which is said by itself
    who = _listed(sorted({one.written for one in recording}))
    of = metric.selector
    return PlanrunnerError(f"`{of}` records no `{word}`", hint=f"it is recorded by {who}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:8])
    return f"{shown} …" if len(names) > 8 else shown


def _protocols(selection: Matcher, names: KnownTargets) -> set[str]:
    """Return the protocols of requests that a selection may pick; rather too many than too few."""
    match selection:
        case Term():
            known = names.senders.get(selection.kind, {})
            found = [known[name] for name in meant_of(selection, known)]
            return set[str]().union(*found) if found else names.sent
        case NotTerm():
            return names.sent
        case AllOf(parts):
            return names.sent.intersection(*(_protocols(part, names) for part in parts))
        case AnyOf(parts):
            return set[str]().union(*(_protocols(part, names) for part in parts))
        case _ as unreachable:
            assert_never(unreachable)


def measures_asked_for(
    thresholds: Iterable[Threshold], phases: Iterable[PhaseNode], protocols: Iterable[str]
) -> Mapping[str, tuple[Measure, ...]]:
    """Return what requests record because thresholds and searches ask for it, by protocol."""
    phases = [*phases]
    searches = [phase.load for phase in phases if isinstance(phase.load, SearchLoad)]
    judged = [*thresholds, *(one for search in searches for one in search.slo)]
    if any(phase.load.is_foreign for phase in phases):  # other tools send HTTP
        protocols = {*protocols, registry.own_verbs().name}
    return recorded_measures(judged, protocols)


def recorded_measures(
    thresholds: Iterable[Threshold], protocols: Iterable[str]
) -> Mapping[str, tuple[Measure, ...]]:
    """Return what thresholds that are judged ask for beside latency and service time, by protocol.

    `protocols` are those of the plan's requests. All requests of a protocol record it: a baseline
    with the values of a few would be taken for one with those of all.
    """
    asked = {
        metric.measure.word
        for threshold in thresholds
        if not threshold.not_applicable
        for metric in threshold.metrics
    }
    found = {
        name: tuple(
            measure
            for word, measure in registry.named(name).measures.items()
            if (word in asked or measure.is_standing) and measure.write is not None
        )
        for name in sorted(protocols)
    }
    return {name: measures for name, measures in found.items() if measures}
