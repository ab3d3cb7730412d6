"""Runs as configurations of one thing: the figures of each, and the best where loads are alike."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from planrunner.results.bootstrap import Estimate, measured_intervals, too_short
from planrunner.results.comparison import TOLERANCE, Estimates, figures_of
from planrunner.results.configurations.contest import best_of_all, contests
from planrunner.results.configurations.loads import differing_words, load_differences
from planrunner.results.configurations.model import (
    Configuration,
    ConfigurationFigure,
    ConfigurationTable,
)
from planrunner.results.configurations.names import differing_values
from planrunner.results.iterations.samples import is_by_samples, noisy, sample_averages
from planrunner.results.model import RunResult, ValidityLevel
from planrunner.results.whole_figures import own_averages

__all__ = ["compare_configurations"]

_MOST: Final = 8
"""Names in a remark."""


def compare_configurations(
    runs: Sequence[RunResult], names: Sequence[str], *, tolerance: float = TOLERANCE
) -> ConfigurationTable:
    """Compare several runs; the same ones in the same order always give the same.

    Args:
        runs: Two or more.
        names: What each of them is called.
        tolerance: Of relative changes: what is better than another is so by more than this.

    Raises:
        UsageError: One has no requests over time: a killed or very old run.
    """
    found = [
        _unsure(one) if run.validity.level is ValidityLevel.INVALID else one
        for run, one in zip(runs, figures_of(runs), strict=True)
    ]
    figures = contests(found, tolerance=tolerance)
    differences = load_differences(runs, names)
    if differences:
        figures = tuple(map(_unjudged, figures))
    table = ConfigurationTable(
        configurations=tuple(
            Configuration(name, run.run_id, values)
            for name, run, values in zip(names, runs, differing_values(runs), strict=True)
        ),
        tolerance=tolerance,
        figures=figures,
        differences=tuple(differences),
        remarks=tuple(_remarks(runs, names)),
    )
    own = tuple(_own_metrics(runs, found))
    return replace(table, best=best_of_all(figures, table.unbeaten), figures=(*figures, *own))


def _own_metrics(
    runs: Sequence[RunResult], compared: Sequence[Collection[str]]
) -> Iterator[ConfigurationFigure]:
    """Yield metrics of the plan's own that all runs have; none is judged, as in a comparison."""
    found = sample_averages(runs) if is_by_samples(runs) else [own_averages(run) for run in runs]
    nothing = tuple(() for _ in runs)
    for name, metric in found[0]:
        if all(name in names for names in compared) and all((name, metric) in one for one in found):
            yield ConfigurationFigure(
                request=name,
                figure=metric,
                values=tuple(one[name, metric] for one in found),
                low=(None,) * len(runs),
                high=(None,) * len(runs),
                worse=nothing,
                leading=(),
                best=None,
                is_same=False,
            )


def _unsure(found: Mapping[str, Estimates]) -> Mapping[str, Estimates]:
    """Return the figures without their errors: nothing follows from them."""
    return {
        name: {figure: Estimate(one.value, -1.0) for figure, one in each.items()}
        for name, each in found.items()
    }


def _unjudged(figure: ConfigurationFigure) -> ConfigurationFigure:
    nothing = tuple(() for _ in figure.worse)
    return replace(figure, worse=nothing, leading=(), best=None, is_same=False)


def _remarks(runs: Sequence[RunResult], names: Sequence[str]) -> Iterator[str]:
    lengths = {points.interval_seconds for run in runs for points in run.request_points}
    if len(lengths) > 1:
        yield "some runs are so much longer that their percentiles cover longer intervals"
    for fact in sorted({fact for run in runs for fact in run.host}):
        hosts = [f"`{run.host.get(fact, 'unknown')}`" for run in runs]
        yield from differing_words(f"the host's {fact} differs", hosts, names)
    by_samples = is_by_samples(runs)
    for run, name in zip(runs, names, strict=True):
        if by_samples:
            yield from noisy(f"`{name}`", run)
        else:
            yield from too_short(f"`{name}`", measured_intervals(run))
        if run.validity.level is not ValidityLevel.VALID:
            yield f"the numbers of `{name}` are {run.validity.level.value}"
    yield from _recorded_by_some(runs, names)
    everywhere = set.intersection(*({one.name for one in run.request_points} for run in runs))
    for run, name in zip(runs, names, strict=True):
        if more := [one.name for one in run.request_points if one.name not in everywhere]:
            shown = ", ".join(f"`{one}`" for one in more[:_MOST])
            rest = " …" if len(more) > _MOST else ""
            yield f"`{name}` has requests that not all have: {shown}{rest}"


def _recorded_by_some(runs: Sequence[RunResult], names: Sequence[str]) -> Iterator[str]:
    recorded = [{word for one in run.series for word in one.records} for run in runs]
    shared = set.intersection(*recorded)
    for words, name in zip(recorded, names, strict=True):
        if more := sorted(words - shared):
            yield f"`{name}` records what not all do: {', '.join(f'`{one}`' for one in more)}"
