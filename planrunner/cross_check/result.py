"""What came of a cross-check, and the same as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, field
from statistics import median
from typing import Any, Final

from planrunner import __version__
from planrunner.cross_check.checked_tools import LeftOutTool
from planrunner.cross_check.differences import (
    FIGURES,
    Difference,
    ToolFigure,
    differences,
)
from planrunner.cross_check.figures import PERCENTS, RoundFigures
from planrunner.cross_check.judgement import spread_of
from planrunner.cross_check.reasons import reasons
from planrunner.cross_check.rounds import ToolRounds
from planrunner.graph.run_graph import RunGraph
from planrunner.values import dataclass

__all__ = ["SCHEMA_VERSION", "CrossCheck", "FigureOverRounds", "over_rounds", "to_json"]

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class FigureOverRounds:
    """A figure of all rounds of a tool."""

    median: float
    least: float
    most: float
    spread: float
    rounds: int


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """What came of it.

    Attributes:
        source: The plan, or the URL.
        load: What each tool was to send, in words.
        wanted: How many rounds there were to be.
        tools: planrunner first.
        left_out: Tools that took no part.
        interrupted: Why it ended early; empty if it didn't.
    """

    graph: RunGraph = field(repr=False)
    source: str
    load: str
    wanted: int
    tools: Sequence[ToolRounds]
    left_out: Sequence[LeftOutTool]
    interrupted: str = ""

    @property
    def own(self) -> ToolRounds:
        return self.tools[0]

    @property
    def others(self) -> Sequence[ToolRounds]:
        return self.tools[1:]

    def differences(self, other: ToolRounds) -> list[Difference]:
        """Return where another tool differs from planrunner beyond noise."""
        return differences(self.own, other)

    def reasons(self, other: ToolRounds) -> list[str]:
        """Return what is known to make it differ."""
        return [*reasons(self.own, other, self.differences(other), self.graph)]


def over_rounds(one: ToolRounds, figure: ToolFigure) -> FigureOverRounds | None:
    """Return a figure of all rounds that are shown of a tool; None where it has none."""
    values = figure.of(one.shown)
    if not values:
        return None
    return FigureOverRounds(
        median(values), min(values), max(values), spread_of(values), len(values)
    )


def to_json(found: CrossCheck) -> dict[str, Any]:
    """Return the data of `--json`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "planrunner": __version__,
        "plan": found.source,
        "load": found.load,
        "rounds": found.wanted,
        "interrupted": found.interrupted or None,
        "tools": [_tool(found, one) for one in found.tools],
        "left_out": [_left_out(one) for one in found.left_out],
    }


def _left_out(one: LeftOutTool) -> dict[str, str | None]:
    return {"name": one.name, "reason": one.reason, "hint": one.hint or None}


def _tool(found: CrossCheck, one: ToolRounds) -> dict[str, Any]:
    figures = {figure.name: over_rounds(one, figure) for figure in FIGURES}
    data = {
        "name": one.name,
        "version": (one.checked.version or None) if one is not found.own else __version__,
        "command": one.command or None,
        "warm_up": one.warm_up and _round(one.warm_up),
        "figures": {name: value and asdict(value) for name, value in figures.items()},
        "rounds": [_round(figures) for figures in (*one.rounds, *one.cut)],
        "notices": [*one.notices],
        "caveats": [*one.checked.caveats],
        "failed": one.failed or None,
    }
    if one is not found.own:
        data["differences"] = [_difference(each) for each in found.differences(one)]
        data["reasons"] = found.reasons(one)
    return data


def _round(figures: RoundFigures) -> dict[str, Any]:
    times = dict(zip((f"p{percent}_ns" for percent in PERCENTS), figures.times_ns, strict=False))
    return {
        "requests": figures.requests,
        "failures": figures.failures,
        "seconds": figures.seconds,
        **times,
        "cpu_seconds": figures.cpu_s,
        "is_cut": figures.is_cut,
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "figure": each.figure.name,
        "planrunner": each.judged.ours,
        "other": each.judged.theirs,
        "noise": each.judged.noise,
        "is_rounding": each.judged.is_rounding,
    }
