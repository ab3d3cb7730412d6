"""RunOutcome → RunResult: tables, judgements, validity and facts about this machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby, starmap

from planrunner import __version__
from planrunner.engine.coordinator.outcome import RunOutcome
from planrunner.engine.stop import Ending
from planrunner.graph.run_graph import RunGraph
from planrunner.language.secrets import Masker
from planrunner.metrics.judging.each import AnyGate
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.judging.measure import is_member
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.thresholds import Metric, Threshold
from planrunner.results.aggregate import count_excluded, make_rows, make_task_mix, make_totals
from planrunner.results.exit_codes import ExitCode
from planrunner.results.matrices.tables import make_scaling
from planrunner.results.model import (
    JudgedSingle,
    JudgedSizes,
    Judgement,
    RunResult,
    Totals,
    Validity,
    ValidityLevel,
)
from planrunner.results.record import (
    AxisChoice,
    PhaseCombination,
    SizeValue,
    Stretch,
    make_measures,
    make_series,
    make_stretches,
    make_tracks,
)
from planrunner.results.record.call_facts import call_facts
from planrunner.results.record.hosts import workers_of_hosts
from planrunner.runner.expectations import count_expectations
from planrunner.timing.machine import Conditions
from planrunner.units import NS_PER_S, format_duration

__all__ = [
    "alike_in_pairs",
    "build_result",
    "judgement_of",
    "machine_facts",
    "start_result",
    "with_validity_judged",
    "written_time",
]

_ENDINGS = {
    Ending.INTERRUPTED: ExitCode.INTERRUPTED,
    Ending.ABORTED: ExitCode.ABORTED_BY_THRESHOLD,
    Ending.CANNOT_RUN: ExitCode.CANNOT_RUN,
}

_PARTLY = "`samples: {}` kept only some of them, so counts and rates are those of the kept ones"


def start_result(graph: RunGraph, run_id: str, *, started: datetime) -> RunResult:
    """Return what is known of a run when it starts, for the case that it never ends."""
    partly = graph.report.samples != "all"
    return RunResult(
        run_id=run_id,
        plan=graph.name,
        plan_path=graph.source,
        plan_hash=graph.plan_hash,
        profile=graph.profile,
        profile_reason=graph.profile_reason,
        seed=graph.seed,
        started=written_time(started),
        duration_seconds=0.0,
        ended_because="not ended",
        exit_code=ExitCode.CANNOT_RUN,
        totals=Totals(0, 0, 0, 0.0, 0.0, 0.0, 0.0),
        aborted=0,
        unmeasured=0,
        warmup=0,
        rows=(),
        points=(),
        judgements=(),
        validity=Validity(ValidityLevel.INVALID, ("the run did not end",)),
        task_mix=(),
        params=graph.params,
        host=_host(graph),
        notices=(_PARTLY.format(graph.report.samples),) if partly else (),
        plan_text=graph.plan_text,
        baseline=graph.baseline,
        labels=graph.labels,
        measures=make_measures(graph.measures),
        combinations=_combinations(graph),
        measured=tuple(
            Stretch(phase.name, "", 0, 0, is_counted=True)
            for phase in graph.phases
            if phase.load.is_counted
        ),
    )


def build_result(
    graph: RunGraph,
    outcome: RunOutcome,
    *,
    started: datetime,
    mask: Masker,
    machine: Conditions | None = None,
) -> RunResult:
    """Judge the thresholds of a finished run and gather everything reports show.

    Args:
        graph: What ran.
        outcome: What came of it.
        started: The wall-clock time of the run's start, in UTC.
        mask: Knows the secrets, those included that the run met.
        machine: What the machine did meanwhile; None where it wasn't watched.
    """
    measured = outcome.measured()
    components = tuple(
        replace(one, name=mask(one.name)) for one in outcome.components.figures(machine)
    )
    judgements = tuple(_masked(found, mask) for found in _judge(outcome))
    excluded = count_excluded(outcome.total)
    rows, combinations = make_rows(outcome.total, measured), _combinations(graph)
    return RunResult(
        run_id=outcome.run_id,
        plan=graph.name,
        plan_path=graph.source,
        plan_hash=graph.plan_hash,
        profile=graph.profile,
        profile_reason=graph.profile_reason,
        seed=outcome.seed,
        started=written_time(started),
        duration_seconds=(outcome.ended_ns - outcome.started_ns) / NS_PER_S,
        ended_because=mask(outcome.reason) or "finished",
        exit_code=_exit_code(outcome, judgements),
        totals=make_totals(outcome.total, measured),
        aborted=excluded.aborted,
        unmeasured=excluded.unmeasured,
        warmup=excluded.warmup,
        after=excluded.after,
        rows=rows,
        points=outcome.history.points(),
        judgements=judgements,
        validity=_validity(outcome, mask),
        task_mix=make_task_mix(outcome.task_counts),
        params=graph.params,
        host={**_host(graph), **_workers(outcome), **(_watched(machine) if components else {})},
        notices=tuple(map(mask, (*graph.notices, *outcome.notices))),
        plan_text=mask(graph.plan_text),
        baseline=graph.baseline,
        labels=graph.labels,
        measures=make_measures(graph.measures),
        measured=make_stretches(measured, started_ns=outcome.started_ns),
        request_points=outcome.requests.points(),
        progress=outcome.running.progress(),
        tracks=make_tracks(
            {**outcome.health.gauges(), **outcome.evidence.gauges}, started_ns=outcome.started_ns
        ),
        series=make_series(outcome.total.totals, started_ns=outcome.started_ns, mask=mask),
        search=outcome.steps,
        failing_samples=outcome.failing,
        loads=outcome.loads,
        changes=outcome.changes,
        hosts=outcome.hosts,
        generator=outcome.health.facts(),
        sustainable=outcome.found,
        backoff=outcome.counters.backoffs,
        expectations=count_expectations(graph, outcome.counters, outcome.total.totals, mask),
        components=components,
        calls=call_facts(outcome.counters.costs, outcome.total.totals, mask),
        combinations=combinations,
        scaling=make_scaling(rows, combinations, judgements),
    )


def _combinations(graph: RunGraph) -> tuple[PhaseCombination, ...]:
    return tuple(
        PhaseCombination(
            phase.name,
            phase.matrix,
            tuple(starmap(AxisChoice, phase.axes.items())),
            tuple(
                SizeValue(name, number, phase.size_units.get(name, ""))
                for name, number in phase.sizes.items()
            ),
        )
        for phase in graph.phases
        if phase.matrix
    )


def _masked(found: Judgement, mask: Masker) -> Judgement:
    """Return a judgement without secrets, which names may hold."""
    return replace(
        found,
        threshold=mask(found.threshold),
        observed=mask(found.observed),
        reason=mask(found.reason),
        each=tuple(replace(one, name=mask(one.name)) for one in found.each),
    )


def _judge(outcome: RunOutcome) -> tuple[Judgement, ...]:
    evidence = outcome.evidence
    judged = [
        (judgement_of(gate, evidence, outcome.started_ns), gate.threshold) for gate in outcome.gates
    ]
    return tuple(alike_in_pairs(judged))


def judgement_of(gate: AnyGate, evidence: Evidence, started_ns: int) -> Judgement:
    """Return what came of a threshold, with what was observed."""
    found, threshold = gate.judge(evidence), gate.threshold
    start_ns, end_ns = found.window_ns or (started_ns, started_ns)
    return Judgement(
        threshold=threshold.text,
        verdict=found.verdict,
        observed=found.observed,
        limit=found.limit,
        place=threshold.place,
        reason=found.reason,
        level=threshold.level.value,
        pair=threshold.pair,
        limit_amount=_as_float(found.limit_amount),
        window_start_ns=start_ns - started_ns,
        window_end_ns=end_ns - started_ns,
        amount=_as_float(found.amount),
        operator=threshold.op.value,
        unit=gate.unit.value,
        each=tuple(
            JudgedSingle(
                one.name,
                one.found.verdict,
                one.found.observed,
                one.found.limit,
                one.found.reason,
                _as_float(one.found.limit_amount),
                _as_float(one.found.amount),
            )
            for one in found.singles
        ),
        sizes=_judged_sizes(threshold, evidence),
    )


def _judged_sizes(threshold: Threshold, evidence: Evidence) -> JudgedSizes:
    metric = threshold.metric
    if not isinstance(metric, Metric) or metric.size is None:
        return JudgedSizes()
    phases = {phase for line in threshold.lines for _, phases in line.points for phase in phases}
    requests = {
        labels.request
        for labels in evidence.series
        if labels.phase in phases
        and is_member(metric, labels, evidence)
        and (metric.selector is None or metric.selector.picks(labels))
    }
    return JudgedSizes(metric.size.name, tuple(sorted(requests)), tuple(sorted(phases)))


def alike_in_pairs(judged: Iterable[tuple[Judgement, Threshold]]) -> Iterator[Judgement]:
    """Yield the judgements, the two of a pair with the same digits of what both look at."""
    for pair, members in groupby(judged, key=lambda one: one[1].pair):
        judgements, thresholds = zip(*members, strict=True)
        metric, amounts = thresholds[0].metric, {judgement.amount for judgement in judgements}
        is_one = len(amounts) == 1 and all(one.metric == metric for one in thresholds)
        if pair and not thresholds[0].window and is_one:
            exact = max((judgement.observed for judgement in judgements), key=len)
            judgements = tuple(replace(judgement, observed=exact) for judgement in judgements)
        yield from judgements


def _as_float(amount: float | None) -> float | None:
    """Return an amount as it is read again: numbers of thresholds may be whole ones."""
    return None if amount is None else float(amount)


def _exit_code(outcome: RunOutcome, judgements: Sequence[Judgement]) -> int:
    if outcome.ending in _ENDINGS:
        return _ENDINGS[outcome.ending]
    broken = any(Verdict(judgement.verdict).fails_the_run for judgement in judgements)
    return ExitCode.THRESHOLD_FAILED if broken else ExitCode.OK


def with_validity_judged(result: RunResult) -> RunResult:
    """Return the result of a whole run with exit code 5 if its numbers are invalid."""
    is_whole = result.exit_code in (ExitCode.OK, ExitCode.THRESHOLD_FAILED)
    if is_whole and result.validity.level is ValidityLevel.INVALID:
        return replace(result, exit_code=ExitCode.NOT_VALID)
    return result


def _validity(outcome: RunOutcome, mask: Masker) -> Validity:
    if outcome.invalid:
        reasons = (*outcome.invalid, *outcome.biased)
        return Validity(ValidityLevel.INVALID, tuple(map(mask, reasons)))
    if outcome.biased:
        return Validity(ValidityLevel.BIASED, tuple(map(mask, outcome.biased)))
    return Validity(ValidityLevel.VALID)


def _workers(outcome: RunOutcome) -> dict[str, str]:
    if outcome.workers == 1:
        return {}
    return {
        "workers": str(outcome.workers),
        "workers began within": format_duration(outcome.start_spread_ns),
        "processor of each worker at most": ", ".join(
            f"{worker.peak_cpu_share:.0%}" for _, worker in workers_of_hosts(outcome.hosts)
        ),
    }


def _watched(machine: Conditions | None) -> dict[str, str]:
    return {} if machine is None else {"machine during the load": machine.words}


def _host(graph: RunGraph) -> dict[str, str]:
    clients = {f"{protocol} client": client for protocol, (client, _) in graph.clients.items()}
    return {**machine_facts(), **clients}


def machine_facts() -> dict[str, str]:
    """Return what a result says of the machine and the versions that it was measured with."""
    return {
        "planrunner": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": str(os.cpu_count() or "unknown"),
    }


def written_time(moment: datetime) -> str:
    """Return a time in UTC as results have it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
