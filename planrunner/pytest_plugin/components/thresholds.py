"""Thresholds of components: those of calls, of the ini file by size, and of its plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from planrunner.errors import UsageError
from planrunner.metrics.judging.each import gate_of
from planrunner.metrics.judging.evidence import Baseline, Evidence
from planrunner.metrics.phase_names import meant_phases
from planrunner.metrics.snapshot import Accumulated
from planrunner.metrics.thresholds import (
    Metric,
    Threshold,
    ThresholdSyntaxError,
    parse_threshold,
)
from planrunner.metrics.thresholds.model import ThresholdScope
from planrunner.pytest_plugin.component import SIZES, Component, WrittenThreshold
from planrunner.pytest_plugin.components.named_plan import graph_of_plan
from planrunner.pytest_plugin.components.sizes import ROWS, lines_of, sizes_of
from planrunner.results.model import Judgement
from planrunner.runner.build_result import judgement_of

__all__ = [
    "concerns",
    "in_case",
    "is_of_all",
    "judge",
    "over_sizes",
    "parsed",
    "thresholds_of",
    "thresholds_of_session",
]

_OPTION: Final = "perf_thresholds"
_FOUND: Final = pytest.StashKey[dict[str, tuple[Threshold, ...]]]()


def thresholds_of(config: pytest.Config, size: str) -> tuple[Threshold, ...]:
    """Return what components of a size are judged by: the ini file's, then those of its plan.

    Raises:
        UsageError: One can't be read.
        PlanError: The plan is invalid.
    """
    found = config.stash.setdefault(_FOUND, {})
    if size not in found:
        own = (
            one
            for only, one in _of_ini(config)
            if not compares_sizes(one) and (only == size or not (only or is_of_all(one)))
        )
        found[size] = (*own, *_of_plan(config, (size,)))
    return found[size]


def thresholds_of_session(config: pytest.Config) -> Iterator[Threshold]:
    """Yield what everything that was measured is judged by together: all sizes, or growth.

    Raises:
        UsageError: One can't be read.
        PlanError: The plan is invalid.
    """
    yield from (one for only, one in _of_ini(config) if is_of_all(one) and not only)
    yield from (one for _, one in _of_ini(config) if compares_sizes(one))
    yield from filter(compares_sizes, _of_plan(config, sizes_of(config)))


def _of_ini(config: pytest.Config) -> Iterator[tuple[str, Threshold]]:
    """Yield the thresholds of the ini file, each with the size that it is for, if it is for one."""
    for line in config.getini(_OPTION):
        prefix, _, sentence = line.partition(":")
        only = prefix.strip() if prefix.strip() in SIZES else ""
        text, place = sentence.strip() if only else line, _place(config.inipath, line)
        found = parsed((text, place))
        if compares_sizes(found):
            _check_sizes(found, only)
        yield only, found


def _check_sizes(threshold: Threshold, only: str) -> None:
    if only:
        hint = f"leave out `{only}:`"
        raise UsageError(f"{threshold.place}: `{threshold.text}` is of several sizes", hint=hint)
    for metric in threshold.metrics:
        if metric.size is not None and metric.size.name != ROWS:
            message = f"`{metric.size.name}` is not what sizes differ in"
            raise UsageError(f"{threshold.place}: {message}", hint=f"write `over {ROWS}`")


def _of_plan(config: pytest.Config, sizes: tuple[str, ...]) -> Iterator[Threshold]:
    """Yield the plan's thresholds that name a request, wherever the plan looks at it.

    Those of a matrix are the ones of the sizes' cases.
    """
    graph = graph_of_plan(config, sizes)
    for one in () if graph is None else graph.thresholds:
        is_of_each = any(metric.each is not None for metric in one.metrics)
        if not one.not_applicable and not is_of_all(one) and not is_of_each:
            yield one.rescoped(lambda _: ThresholdScope())


def parsed(written: WrittenThreshold) -> Threshold:
    """Return a threshold as it is judged.

    Raises:
        UsageError: It can't be read.
    """
    text, place = written
    try:
        return replace(parse_threshold(text), place=place)
    except ThresholdSyntaxError as error:
        raise UsageError(f"{place}: `{text}`: {error.message}", hint=error.hint) from None


def concerns(threshold: Threshold, components: Iterable[Component]) -> bool:
    """Say whether a threshold picks some of the components."""
    return any(_picks(one, component) for one in threshold.metrics for component in components)


def _picks(metric: Metric, component: Component) -> bool:
    phase, axes = metric.scope.phase, {"case": component.size} if component.has_case else {}
    if phase is not None and not meant_phases(
        phase.name, {component.name: {component.phase: axes}}
    ):
        return False
    return any(one.picks(component.labels) for one in metric.selectors)


def is_of_all(threshold: Threshold) -> bool:
    """Say whether a threshold is of all components together, as `error_rate == 0` is."""
    return not any(metric.selectors for metric in threshold.metrics)


def compares_sizes(threshold: Threshold) -> bool:
    """Say whether a threshold is of growth with size, which no single test can know."""
    return any(metric.size is not None for metric in threshold.metrics)


def in_case(threshold: Threshold, size: str, components: Sequence[Component]) -> Threshold:
    """Return a threshold as it judges the components of one size beside those of others."""
    if not any(one.has_case for one in components):
        return threshold
    phases = {one.phase: one for one in components}

    def looked_at(metric: Metric) -> Metric:
        chosen = frozenset(
            phase for phase, one in phases.items() if _picks(metric, one) or not metric.selectors
        )
        return replace(metric, scope=replace(metric.scope, chosen=chosen))

    text = f"{size}: {threshold.text}"
    return replace(threshold.remeasured(looked_at), text=text)


def over_sizes(threshold: Threshold, components: Sequence[Component]) -> Threshold:
    """Return a threshold of growth with the components that it compares."""
    picked = [one for one in components if concerns(threshold, [one])]
    lines = lines_of(picked)
    few = "" if lines else f"fewer than two sizes of {ROWS} are selected"
    return replace(threshold.rescoped(lambda _: ThresholdScope()), lines=lines, not_applicable=few)


def judge(
    component: Component, thresholds: Iterable[Threshold], baseline: Baseline | None
) -> list[Judgement]:
    """Return what the thresholds come to that are of one component, and of nothing else."""
    gates = [
        gate_of(in_case(one, component.size, [component]))
        for one in thresholds
        if all(_picks(metric, component) for metric in one.metrics)
    ]
    so_far = Accumulated()
    evidence = Evidence(so_far.totals, [component.stretch(0)], baseline=baseline)
    for snapshot in component.snapshots(0):
        so_far.add(snapshot)
        for gate in gates:
            gate.add(snapshot, evidence)
    return [judgement_of(gate, evidence, 0) for gate in gates]


def _place(file: Path | None, line: str) -> str:
    """Return where the ini file has a line; its name alone if that isn't seen."""
    if file is None:
        return _OPTION
    try:
        rows = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return file.name
    for number, row in enumerate(rows, 1):
        if (column := row.find(line)) >= 0:
            return f"{file.name}:{number}:{column + 1}"
    return file.name
