"""What is known of a run before its load: a prepared run → JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from planrunner.engine.workers.local import requests_of
from planrunner.graph.loads import any_open_ended
from planrunner.graph.run_graph import PhaseNode, RunGraph
from planrunner.language.secrets import Masker
from planrunner.metrics.judging.each import gate_of
from planrunner.runner.request import PreparedRun
from planrunner.units import NS_PER_S

__all__ = ["run_facts"]

_UNITS: Final = {"cpu": "share", "rss": "bytes", "disk": "bytes/s", "net": "bytes/s"}
"""Of gauges, by the last word of their names; what a query returns is a number."""


def run_facts(prepared: PreparedRun) -> dict[str, Any]:
    """Return `run` of the state, secrets masked."""
    graph, mask = prepared.graph, Masker(prepared.graph.secrets)
    requests = dict.fromkeys(
        request.name for request in requests_of(graph) if request.measured and not request.naming
    )
    is_open = any_open_ended(phase.load for phase in graph.phases)
    return {
        "id": prepared.run_id,
        "plan": mask(graph.name),
        "plan_path": graph.source,
        "profile": graph.profile,
        "environment": prepared.compiled.source.sources.environment,
        "seed": graph.seed,
        "labels": {name: mask(value) for name, value in graph.labels.items()},
        "params": dict(graph.params),
        "directory": str(prepared.directory),
        "workers": prepared.request.workers,
        "planned_s": None if is_open else graph.planned_ns / NS_PER_S,
        "default_threshold": graph.default_threshold,
        "phases": list(_phases(graph)),
        "classes": [program.name for program in graph.users],
        "requests": [mask(name) for name in requests],
        "gauges": [{"name": name, "unit": _unit(name)} for name in _gauges(graph)],
        "thresholds": [
            {
                "text": mask(one.text),
                "unit": gate_of(one).unit.value,
                "level": one.level.value,
                "pair": one.pair,
            }
            for one in graph.thresholds
        ],
    }


def _phases(graph: RunGraph) -> Iterator[dict[str, Any]]:
    begin_ns = 0
    for phase in graph.phases:
        load = phase.load
        yield {
            "name": phase.name,
            "model": load.kind,
            "words": list(load.words()),
            "unit": "arrivals/s" if load.has_due_times else "users",
            "start_at_s": None if phase.start_at_ns is None else phase.start_at_ns / NS_PER_S,
            "planned_begin_s": (begin_ns if phase.start_at_ns is None else phase.start_at_ns)
            / NS_PER_S,
            "planned_s": None if load.is_open_ended else load.planned_ns / NS_PER_S,
            "warmup_s": phase.warmup_ns / NS_PER_S,
            "stages": [
                {"name": name, "planned_s": length_ns / NS_PER_S}
                for name, length_ns in (() if load.is_open_ended else load.spans)
            ],
            "can_change": load.can_change,
            "levels": list(_levels(phase)),
        }
        if phase.start_at_ns is None:
            begin_ns += load.planned_ns


def _levels(phase: PhaseNode) -> Iterator[tuple[float, float]]:
    """Yield seconds from the phase's begin with what is asked for then; between them it is linear.

    Nothing of a search, whose levels only the run shows.
    """
    at_ns, before = 0, None
    for length_ns, level in phase.load.levels:
        if before is None or length_ns == 0:
            yield at_ns / NS_PER_S, 0.0 if length_ns else level
        at_ns, before = at_ns + length_ns, level
        if length_ns:
            yield at_ns / NS_PER_S, level


def _gauges(graph: RunGraph) -> Iterator[str]:
    for service in graph.services:
        yield from (f"service.{service.name}.{metric}" for metric in service.monitor)
    for monitor in graph.monitors:
        yield from monitor.gauges


def _unit(gauge: str) -> str:
    kind, _, rest = gauge.partition(".")
    _, dot, metric = rest.rpartition(".")
    return _UNITS.get(metric, "number") if dot and kind in ("service", "monitor") else "number"
