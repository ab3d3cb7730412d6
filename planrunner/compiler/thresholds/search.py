"""What thresholds on `max_sustainable` must say to fit the searches of the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from planrunner.compiler.thresholds.names import KnownTargets
from planrunner.metrics.thresholds import Agg, Metric, Threshold
from planrunner.metrics.thresholds.value import Unit
from planrunner.values import dataclass

__all__ = ["Unfit", "unfit_for_search"]

_UNITS: Final[Mapping[str, Unit]] = {"users": Unit.NUMBER, "rate": Unit.RATE}


@dataclass(frozen=True, slots=True)
class Unfit:
    """A word of the sentence, counted in characters, that does not fit."""

    message: str
    hint: str
    offset: int
    length: int


def unfit_for_search(threshold: Threshold, names: KnownTargets) -> Iterator[Unfit]:
    """Find phases that don't search, and a limit in the unit of what is not varied."""
    for metric in threshold.metrics:
        if metric.agg is not Agg.MAX_SUSTAINABLE:
            continue
        phase = metric.scope.phase
        if phase is not None and phase.name in names.stages and phase.name not in names.varies:
            hint = ", ".join(f"`in phase {name}`" for name in names.varies)
            yield Unfit(
                f"phase `{phase.name}` does not search",
                f"write {hint}" if hint else "no phase of the plan has `search:`",
                phase.offset,
                phase.end - phase.offset,
            )
        elif isinstance(threshold.metric, Metric):
            yield from _wrong_unit(threshold, names, phase.name if phase else "")


def _wrong_unit(threshold: Threshold, names: KnownTargets, phase: str) -> Iterator[Unfit]:
    value = threshold.value
    searching = [phase] if phase else list(names.varies)
    varied = {what for name in searching for what in names.varies.get(name, ())}
    if len(varied) != 1 or value.of_baseline or not value.amount:
        return  # either unit is right, or none is needed
    [vary] = varied
    if value.unit is _UNITS[vary]:
        return
    number = value.text.partition("/")[0]
    if vary == "rate":
        what, hint = f"`{value.text}` is a number of users", f"write a rate: `{number}/s`"
    else:
        what, hint = f"`{value.text}` is a rate", "write a number of users"
    yield Unfit(f"the search varies {vary}, and {what}", hint, value.offset, len(value.text))
