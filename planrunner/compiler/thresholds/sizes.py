"""What an aggregation of sizes compares: the phases of matrices that differ in one number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planrunner.compiler.thresholds.names import KnownTargets
from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import suggest
from planrunner.metrics.thresholds import Metric, Threshold
from planrunner.metrics.thresholds.model import SizeLine
from planrunner.plan.models.load.matrix import CASE

__all__ = ["lacking_size", "lines_of", "too_few_sizes"]


def lacking_size(metric: Metric, names: KnownTargets) -> PlanrunnerError | None:
    """Return what is wrong with the size that a metric names; None where nothing is."""
    phases = _phases(metric, names)
    if metric.size is None or not phases:  # an unknown phase has a fault of its own
        return None
    name, sizes = metric.size.name, [names.sizes.get(one, {}) for one in phases]
    found = [one[name] for one in sizes if name in one]
    if not found:
        phase = metric.scope.phase
        where = "any matrix of the plan" if phase is None else f"the matrix of `{phase.name}`"
        known = list(dict.fromkeys(other for one in sizes for other in one))
        listed = ", ".join(f"`{one}`" for one in known)
        message = f"`{name}` is not a number that {where} varies"
        has_matrix = any(any(names.phases.axes_of(one)) for one in phases)
        missing = "give the matrix an axis of numbers" if has_matrix else "add a `matrix:`"
        hint = suggest(name, known) or (f"what varies is {listed}" if known else missing)
        return PlanrunnerError(message, hint=hint)
    if min(found) <= 0:
        hint = "take another size: growth has no ratio to one of 0 or less"
        return PlanrunnerError(f"`{name}` is {min(found):g} in a phase", hint=hint)
    return None


def lines_of(threshold: Threshold, names: KnownTargets) -> tuple[SizeLine, ...]:
    """Return what a threshold compares in this run, each with two sizes or more."""
    return tuple(
        line
        for metric in threshold.metrics
        if metric.size is not None
        for line in _lines(metric, metric.size.name, names)
        if len(line.points) > 1
    )


def too_few_sizes(threshold: Threshold, names: KnownTargets) -> str:
    """Return why a threshold does not apply: sizes to compare are missing; else nothing."""
    for metric in threshold.metrics:
        if metric.size is not None and not lines_of(threshold, names):
            return f"fewer than two sizes of {metric.size.name} are selected"
    return ""


def _phases(metric: Metric, names: KnownTargets) -> Sequence[str]:
    """Return the phases that a metric means, whether they run or not."""
    if metric.scope.phase is None:
        return list(names.stages)
    return names.phases.meant_by(metric.scope.phase.name)


def _lines(metric: Metric, size: str, names: KnownTargets) -> Iterator[SizeLine]:
    found: dict[str, dict[float, tuple[str, ...]]] = {}
    for base, phases in names.phases.combinations.items():
        for phase, axes in phases.items():
            number = names.sizes.get(phase, {}).get(size)
            if number is None or phase not in names.running or not metric.scope.takes(phase):
                continue
            giving = size if size in axes else CASE
            others = ",".join(f"{axis}={text}" for axis, text in axes.items() if axis != giving)
            points = found.setdefault(f"{base}[{others}]" if others else base, {})
            points[number] = (*points.get(number, ()), phase)
    for name, by_size in found.items():
        yield SizeLine(name, tuple(sorted(by_size.items())))
