"""What all tests of a session have measured → one run, with its reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from pathlib import Path

import pytest

from planrunner.compiler.compile import slug_of
from planrunner.errors import UsageError
from planrunner.metrics.judging.evidence import Baseline
from planrunner.metrics.thresholds import Threshold
from planrunner.pytest_plugin.component import Component, WrittenThreshold
from planrunner.pytest_plugin.components.thresholds import (
    concerns,
    is_of_all,
    parsed,
    thresholds_of,
)
from planrunner.python.collecting.collected_run import CollectedRun
from planrunner.python.results.result import Result
from planrunner.results.files.baseline import measure_in, read_baseline
from planrunner.results.files.directory import read_run
from planrunner.results.model import RunResult
from planrunner.results.record import FailingSample
from planrunner.units import NS_PER_S

__all__ = ["baseline_of", "values_of", "write_components_run"]

_BASELINES = pytest.StashKey[dict[str, RunResult | None]]()
_FORMATS = ("metrics.json", "report.html", "junit.xml")


def write_components_run(config: pytest.Config, components: Sequence[Component]) -> Result:
    """Write the run directory of a session.

    Args:
        config: Of the session.
        components: In the order of their time; at least one.

    Raises:
        CannotRun: A file can't be written.
        UsageError: A threshold of the ini file can't be read.
    """
    size = components[0].size
    thresholds = [*_thresholds(config, components)]
    notices = [*_notices(config, components)]
    starts = [0, *accumulate(one.measured_ns for one in components)]
    placed = list(zip(components, starts, strict=False))
    run = CollectedRun(
        _name(size),
        out=None,
        labels={"size": size},
        formats=_FORMATS,
        thresholds=thresholds,
        phases=[one.stretch(start_ns) for one, start_ns in placed],
        baseline=baseline_of(config, size),
    )
    for snapshot in chain.from_iterable(one.snapshots(start_ns) for one, start_ns in placed):
        run.add(snapshot)
    failing = [
        FailingSample(
            one.name, one.name, "error", one.failure, "", 0, start_ns / NS_PER_S, one.elapsed_ns
        )
        for one, start_ns in placed
        if one.failure
    ]
    figures = [one.figures for one in components if one.samples_ns]
    raw = run.finish(starts[-1], failing, notices=notices, components=figures)
    return Result(raw, run.directory)


def baseline_of(config: pytest.Config, size: str) -> RunResult | None:
    """Return the run to compare with: that of `--perf-baseline`, else the promoted one.

    Raises:
        UsageError: It can't be understood, or is of another size.
    """
    found = config.stash.setdefault(_BASELINES, {})
    given = config.getoption("perf_baseline")
    if size not in found:
        usual = Path("reports") / slug_of(_name(size)) / "baseline.json"
        found[size] = read_run(Path(given)) if given else read_baseline(usual)
    baseline = found[size]
    other = size if baseline is None else baseline.labels.get("size", size)
    if other != size:
        hint = f"add `--perf-size={other}`, or name a run of {size} test data"
        raise UsageError(f"--perf-baseline: the run `{given}` is of size {other}", hint=hint)
    return baseline


def values_of(baseline: RunResult | None) -> Baseline | None:
    """Return what gives a metric's value in a baseline."""
    return None if baseline is None else measure_in(baseline)


def _name(size: str) -> str:
    """Return what the run is called: runs of the same name are compared with each other."""
    return f"components {size}"


def _thresholds(config: pytest.Config, components: Sequence[Component]) -> Iterator[Threshold]:
    """Yield the thresholds of the session, then those of single calls."""
    seen: set[WrittenThreshold] = set()
    for one in thresholds_of(config, components[0].size):
        if is_of_all(one) or concerns(one, components):
            seen.add((one.text, one.place))
            yield one
    for component in components:
        yield from (parsed(written) for written in component.thresholds if written not in seen)


def _notices(config: pytest.Config, components: Sequence[Component]) -> Iterator[str]:
    for one in thresholds_of(config, components[0].size):
        if not is_of_all(one) and not concerns(one, components):
            yield f"{one.place}: `{one.text}` is of no component that was measured"
