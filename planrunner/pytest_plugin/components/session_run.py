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
from planrunner.pytest_plugin.components.sizes import combinations_of, label_of, sizes_of
from planrunner.pytest_plugin.components.thresholds import (
    concerns,
    in_case,
    is_of_all,
    over_sizes,
    parsed,
    thresholds_of,
    thresholds_of_session,
)
from planrunner.python.collecting.collected_run import CollectedRun
from planrunner.python.results.result import Result
from planrunner.results.files.baseline import measure_in, read_baseline
from planrunner.results.files.directory import read_run
from planrunner.results.model import RunResult
from planrunner.results.record import FailingSample
from planrunner.units import NS_PER_S

__all__ = ["baseline_of", "values_of", "write_components_run"]

_BASELINE = pytest.StashKey[RunResult | None]()
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
    thresholds = [*_thresholds(config, components)]
    notices = [*_notices(config, components)]
    starts = [0, *accumulate(one.measured_ns for one in components)]
    placed = list(zip(components, starts, strict=False))
    run = CollectedRun(
        _name(config),
        out=None,
        labels={"size": label_of(config)},
        formats=_FORMATS,
        thresholds=thresholds,
        phases=[one.stretch(start_ns) for one, start_ns in placed],
        baseline=baseline_of(config),
    )
    for snapshot in chain.from_iterable(one.snapshots(start_ns) for one, start_ns in placed):
        run.add(snapshot)
    failing = [
        FailingSample(
            one.name, one.phase, "error", one.failure, "", 0, start_ns / NS_PER_S, one.elapsed_ns
        )
        for one, start_ns in placed
        if one.failure
    ]
    raw = run.finish(
        starts[-1],
        failing,
        notices=notices,
        components=[one.figures for one in components if one.samples_ns],
        combinations=combinations_of(components),
    )
    return Result(raw, run.directory)


def baseline_of(config: pytest.Config) -> RunResult | None:
    """Return the run to compare with: that of `--perf-baseline`, else the promoted one.

    Raises:
        UsageError: It can't be understood, or is of another size.
    """
    given, size = config.getoption("perf_baseline"), label_of(config)
    if _BASELINE not in config.stash:
        usual = Path("reports") / slug_of(_name(config)) / "baseline.json"
        config.stash[_BASELINE] = read_run(Path(given)) if given else read_baseline(usual)
    baseline = config.stash[_BASELINE]
    other = size if baseline is None else baseline.labels.get("size", size)
    if other != size:
        hint = f"add `--perf-size={other.replace(' ', ',')}`, or name a run of {size} test data"
        raise UsageError(f"--perf-baseline: the run `{given}` is of size {other}", hint=hint)
    return baseline


def values_of(baseline: RunResult | None) -> Baseline | None:
    """Return what gives a metric's value in a baseline."""
    return None if baseline is None else measure_in(baseline)


def _name(config: pytest.Config) -> str:
    """Return what the run is called: runs of the same name are compared with each other."""
    return f"components {label_of(config)}"


def _thresholds(config: pytest.Config, components: Sequence[Component]) -> Iterator[Threshold]:
    """Yield the thresholds of each size, then of the session, then those of single calls."""
    seen: set[WrittenThreshold] = set()
    for one in (*_of_sizes(config, components), *_of_session(config, components)):
        seen.add((one.text, one.place))
        yield one
    for component in components:
        for text, place in component.thresholds:
            if (text, place) not in seen:
                own = parsed((text.removeprefix(f"{component.size}: "), place))
                yield in_case(own, component.size, [component])


def _of_sizes(config: pytest.Config, components: Sequence[Component]) -> Iterator[Threshold]:
    for size, of_size in _by_size(config, components):
        for one in thresholds_of(config, size):
            if is_of_all(one) or concerns(one, of_size):
                yield in_case(one, size, of_size)


def _of_session(config: pytest.Config, components: Sequence[Component]) -> Iterator[Threshold]:
    for one in thresholds_of_session(config):
        if is_of_all(one):
            yield one
        elif concerns(one, components):
            yield over_sizes(one, components)


def _notices(config: pytest.Config, components: Sequence[Component]) -> Iterator[str]:
    """Yield which thresholds are of nothing that was measured."""
    found = [
        (one, of_size)
        for size, of_size in _by_size(config, components)
        for one in thresholds_of(config, size)
    ]
    found += [(one, components) for one in thresholds_of_session(config)]
    for one, of_size in found:
        if not is_of_all(one) and not concerns(one, of_size):
            yield f"{one.place}: `{one.text}` is of no component that was measured"


def _by_size(
    config: pytest.Config, components: Sequence[Component]
) -> Iterator[tuple[str, Sequence[Component]]]:
    for size in sizes_of(config):
        yield size, [one for one in components if one.size == size]
