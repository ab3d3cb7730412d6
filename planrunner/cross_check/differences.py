"""What tools measured differently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from planrunner.cross_check.figures import PERCENTS, RoundFigures
from planrunner.cross_check.judgement import JudgedFigure, judge
from planrunner.cross_check.rounds import ToolRounds
from planrunner.values import dataclass

__all__ = [
    "CPU",
    "FAILED",
    "FIGURES",
    "RATE",
    "START_CPU",
    "TIMES",
    "Difference",
    "ToolFigure",
    "differences",
]

_LEAST_SHARE: Final = 0.01
"""Of planrunner's figure: less is no difference to anybody."""

_LEAST_FAILED: Final = 0.001


@dataclass(frozen=True, slots=True)
class ToolFigure:
    """One column of the table.

    Attributes:
        name: As JSON has it.
        title: As the table has it.
        value: Of a round; None where there is none.
        is_time: Whether it is a latency, in ns.
    """

    name: str
    title: str
    value: Callable[[RoundFigures], float | None]
    is_time: bool = False

    def of(self, rounds: Sequence[RoundFigures]) -> list[float]:
        return [value for one in rounds if (value := self.value(one)) is not None]


def _time(place: int) -> Callable[[RoundFigures], float | None]:
    return lambda one: one.times_ns[place] if one.times_ns else None


RATE: Final = ToolFigure("requests_per_second", "requests/s", lambda one: one.per_second)
TIMES: Final = tuple(
    ToolFigure(f"p{percent}_ns", f"p{percent}", _time(place), is_time=True)
    for place, percent in enumerate(PERCENTS)
)
FAILED: Final = ToolFigure("failed_share", "failures", lambda one: one.failed_share)
CPU: Final = ToolFigure("cpu_us_per_request", "CPU/request", lambda one: one.cpu_per_request_us)
START_CPU: Final = ToolFigure("start_cpu_seconds", "start CPU", lambda one: one.start_cpu_s)
FIGURES: Final = (RATE, *TIMES, FAILED, CPU, START_CPU)

_NOT_JUDGED: Final = (CPU, START_CPU)
"""They differ by what tools are written in."""


@dataclass(frozen=True, slots=True)
class Difference:
    figure: ToolFigure
    judged: JudgedFigure


def differences(own: ToolRounds, other: ToolRounds) -> list[Difference]:
    """Return where the rounds of two tools differ by more than noise, rounding included.

    What they cost in CPU is not judged.
    """
    found = []
    for figure in FIGURES:
        ours, theirs = figure.of(own.rounds), figure.of(other.rounds)
        if figure in _NOT_JUDGED or not ours or not theirs:
            continue
        least = _LEAST_FAILED if figure is FAILED else _LEAST_SHARE * median(ours)
        step = other.checked.tool.step_ns if figure.is_time else 0.0
        judged = judge(ours, theirs, least=least, step=step)
        if judged.is_beyond or judged.is_rounding:
            found.append(Difference(figure, judged))
    return found
