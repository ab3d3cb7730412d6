"""Thresholds of components: those of calls, of the ini file by size, and of its plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from planrunner.errors import UsageError
from planrunner.metrics.judging.each import gate_of
from planrunner.metrics.judging.evidence import Baseline, Evidence
from planrunner.metrics.snapshot import Accumulated
from planrunner.metrics.thresholds import Threshold, ThresholdSyntaxError, parse_threshold
from planrunner.metrics.thresholds.model import ThresholdScope
from planrunner.pytest_plugin.component import SIZES, Component, WrittenThreshold
from planrunner.pytest_plugin.components.named_plan import graph_of_plan
from planrunner.results.model import Judgement
from planrunner.runner.build_result import judgement_of

__all__ = ["concerns", "is_of_all", "judge", "parsed", "thresholds_of"]

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
        found[size] = (*_of_ini(config, size), *_of_plan(config, size))
    return found[size]


def _of_ini(config: pytest.Config, size: str) -> Iterator[Threshold]:
    for line in config.getini(_OPTION):
        prefix, _, sentence = line.partition(":")
        only = prefix.strip() if prefix.strip() in SIZES else ""
        if only in ("", size):
            text = sentence.strip() if only else line
            yield parsed((text, _place(config.inipath, line)))


def _of_plan(config: pytest.Config, size: str) -> Iterator[Threshold]:
    """Yield the plan's thresholds that name a request, wherever the plan looks at it.

    Those of a matrix are the ones of the size's case.
    """
    graph = graph_of_plan(config, size)
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
    selectors = [one for metric in threshold.metrics for one in metric.selectors]
    return any(one.picks(component.labels) for one in selectors for component in components)


def is_of_all(threshold: Threshold) -> bool:
    """Say whether a threshold is of all components together, as `error_rate == 0` is."""
    return not any(metric.selectors for metric in threshold.metrics)


def judge(
    component: Component, thresholds: Iterable[Threshold], baseline: Baseline | None
) -> list[Judgement]:
    """Return what the thresholds come to that are of one component."""
    gates = [gate_of(one) for one in thresholds if concerns(one, [component])]
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
