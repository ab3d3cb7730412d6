"""The options of a k6 script: scenarios for the loads of the phases, and thresholds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil
from typing import Final

from planrunner.exporters.limits import written_thresholds
from planrunner.exporters.loads import (
    LoadLoss,
    class_rates,
    class_stages,
    judge_loads,
    lost_around,
    starts_ns,
)
from planrunner.exporters.scripts.sections import ScriptWriter
from planrunner.graph.run_graph import ClosedLoad, CountedLoad, OpenLoad, PhaseNode
from planrunner.loss.ledger import Fate
from planrunner.metrics.measures import LATENCY
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.thresholds import Threshold
from planrunner.metrics.thresholds.model import Metric, Operator, ThresholdLevel
from planrunner.schedule.arrivals import ArrivalKind
from planrunner.schedule.population import Stage
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["write_scenarios", "write_thresholds"]


def write_scenarios(writer: ScriptWriter) -> None:
    """Write a scenario for each class of each phase."""
    request = writer.request
    judge_loads(request, lambda phase: _losses(phase, len(request.phases)))
    with writer.indented("scenarios: {", "},"):
        for phase, start_ns in zip(request.phases, starts_ns(request.phases), strict=True):
            for name, fields in _of_phase(writer, phase):
                program = next(one for one in request.classes if one.name == name)
                function = writer.exec_of(program)
                only = len(request.phases) == 1
                key = function if only else writer.function_of(phase.name, name)
                with writer.indented(f"{key}: {{", "},"):
                    writer.line(f"exec: '{function}',")
                    for one in fields:
                        writer.line(f"{one},")
                    if start_ns:
                        writer.line(f"startTime: '{_duration(start_ns)}',")


def _losses(phase: PhaseNode, number: int) -> Iterator[LoadLoss]:
    load = phase.load
    if not isinstance(load, ClosedLoad | CountedLoad | OpenLoad):
        yield LoadLoss("k6 has no such load", fate=Fate.LEFT_OUT)
    if number > 1:
        yield LoadLoss("it begins at its time, whether or not the one before has ended", ("name",))
    if isinstance(load, CountedLoad) and load.ramp_ns:
        yield LoadLoss("all users start at once", ("ramp_up", "spawn_rate"))
    if load.shared_iterations and len(phase.classes) > 1:
        yield LoadLoss("iterations are split among classes first", ("iterations",))
    if isinstance(load, OpenLoad) and load.arrivals is not ArrivalKind.UNIFORM:
        yield LoadLoss("arrivals are evenly spaced", ("arrivals",))
    yield from lost_around(phase)


def _of_phase(writer: ScriptWriter, phase: PhaseNode) -> list[tuple[str, list[str]]]:
    graph, load = writer.request.graph, phase.load
    graceful = f"gracefulStop: '{_duration(phase.graceful_stop_ns)}'"
    if isinstance(load, ClosedLoad):
        return [
            (name, [*_population(stages), graceful])
            for name, stages in class_stages(graph, phase).items()
        ]
    if isinstance(load, CountedLoad):
        users = {name: stages[-1].level for name, stages in class_stages(graph, phase).items()}
        shares = _portions(load.iterations, users)
        return [
            (name, [*_counted(load, count, shares[name]), graceful])
            for name, count in users.items()
        ]
    if isinstance(load, OpenLoad):
        rates = class_rates(graph, phase)
        most = _portions(load.max_users, dict.fromkeys(rates, 1))
        return [(name, [*_arrivals(one, most[name]), graceful]) for name, one in rates.items()]
    return []


def _portions(whole: int, users: dict[str, int]) -> dict[str, int]:
    """Split a number as users are split; the first ones get what is left."""
    total = sum(users.values())
    found = {name: whole * count // total for name, count in users.items()}
    for name in [*users][: whole - sum(found.values())]:
        found[name] += 1
    return found


def _population(stages: Sequence[Stage]) -> list[str]:
    lasting = [one for one in stages if one.duration_ns]
    if len(lasting) == 1 and len({one.level for one in stages}) == 1 and len(stages) > 1:
        return [
            "executor: 'constant-vus'",
            f"vus: {lasting[0].level}",
            f"duration: '{_duration(lasting[0].duration_ns)}'",
        ]
    listed = (
        f"{{ duration: '{_duration(one.duration_ns)}', target: {one.level} }}" for one in stages
    )
    return ["executor: 'ramping-vus'", "startVUs: 0", f"stages: [{', '.join(listed)}]"]


def _counted(load: CountedLoad, users: int, iterations: int) -> list[str]:
    number = load.per_user or iterations
    kind = "per-vu-iterations" if load.per_user else "shared-iterations"
    users = users if load.per_user else min(users, iterations)
    return [
        f"executor: '{kind}'",
        f"vus: {users}",
        f"iterations: {number}",
        f"maxDuration: '{_duration(load.max_duration_ns)}'",
    ]


_MOST_UNIT: Final = 3_600


def _arrivals(stages: Sequence[tuple[int, Fraction]], most: int) -> list[str]:
    unit = next(
        (s for s in (1, 10, 60, 600) if all((rate * s).denominator == 1 for _, rate in stages)),
        _MOST_UNIT,
    )
    users = [f"preAllocatedVUs: {max(1, min(most, ceil(max(rate for _, rate in stages))))}"]
    users += [f"maxVUs: {max(1, most)}", f"timeUnit: '{unit}s'"]
    lasting = [one for one in stages if one[0]]
    if len(lasting) == 1 and len({rate for _, rate in stages}) == 1 and len(stages) > 1:
        return [
            "executor: 'constant-arrival-rate'",
            f"rate: {round(lasting[0][1] * unit)}",
            f"duration: '{_duration(lasting[0][0])}'",
            *users,
        ]
    listed = (
        f"{{ duration: '{_duration(ns)}', target: {round(rate * unit)} }}" for ns, rate in stages
    )
    return [
        "executor: 'ramping-arrival-rate'",
        "startRate: 0",
        f"stages: [{', '.join(listed)}]",
        *users,
    ]


def _duration(ns: int) -> str:
    return f"{ns // NS_PER_S}s" if ns % NS_PER_S == 0 else f"{ns / NS_PER_MS:g}ms"


def write_thresholds(writer: ScriptWriter) -> None:
    """Write the thresholds that k6 has words for; others are left out by name."""
    found: dict[str, list[str]] = {}
    why = "k6 has no such threshold; judge the run's summary yourself"
    for _, (metric, limit), construct in written_thresholds(writer.request, _threshold, why):
        if metric.startswith("http_req_failed") and _has_checks(writer):
            construct.changed(
                "broken checks do not make requests failed ones; `checks` counts them"
            )
        found.setdefault(metric, []).append(limit)
    if writer.request.graph.default_threshold:
        found["http_req_failed"] = [json.dumps("rate<0.01")]
    if found:
        with writer.indented("thresholds: {", "},"):
            for metric, limits in found.items():
                writer.line(f"{json.dumps(metric)}: [{', '.join(limits)}],")


def _has_checks(writer: ScriptWriter) -> bool:
    text = writer.request.plan.shown_text
    return any(f"{word}:" in text for word in ("contains", "matches", "time", "json:"))


_OF_TIMES: Final = {"avg": "avg", "min": "min", "max": "max", "med": "med"}
_OF_COUNTS: Final = {
    "error_rate": ("http_req_failed", "rate"),
    "checks": ("checks", "rate"),
    "throughput": ("http_reqs", "rate"),
    "count": ("http_reqs", "count"),
}


def _threshold(one: Threshold) -> tuple[str, str] | None:
    """Return the metric of k6 and what it is judged by; None where k6 has none."""
    metric = one.metric
    if one.level is ThresholdLevel.WARN or one.value.of_baseline:
        return None
    if not isinstance(metric, Metric) or not _is_plain(metric):
        return None
    said, tags = _said(metric, one.value.amount), _tags(metric)
    if one.op not in _OPERATORS or said is None or tags is None:
        return None
    name, aggregate, limit = said
    judged = json.dumps(f"{aggregate}{one.op}{limit:g}")
    if one.abort is not None:
        delay = _duration(one.abort.after_ns)
        judged = f"{{ threshold: {judged}, abortOnFail: true, delayAbortEval: '{delay}' }}"
    return name + tags, judged


_OPERATORS: Final = (Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST)


def _is_plain(metric: Metric) -> bool:
    return not (metric.window or metric.among or metric.size or metric.scope.terms)


def _said(metric: Metric, limit: float) -> tuple[str, str, float] | None:
    """Return the metric of k6, its aggregate, and the limit in its unit."""
    word = metric.agg.word
    if (word in _OF_TIMES or word == "p") and metric.measure == LATENCY:
        aggregate = _OF_TIMES.get(word, f"p({metric.argument:g})")
        return "http_req_duration", aggregate, limit / NS_PER_MS
    found = _OF_COUNTS.get(word)
    return None if found is None else (*found, limit)


def _tags(metric: Metric) -> str | None:
    """Return the tags of k6 that a selector means; None where it means more than tags."""
    if metric.selector is None:
        return ""
    terms = tuple(metric.selector.terms)
    if len(terms) != 1 or str(metric.selector) != str(terms[0]):
        return None
    term = terms[0]
    if term.form is not NameForm.NAME:
        return None
    tags = {
        "request": f"{{name:{term.name}}}",
        "tag": f"{{{term.name}:{term.value or 'true'}}}",
        "group": f"{{group:::{term.name}}}",
    }
    return tags.get(term.kind.value)
