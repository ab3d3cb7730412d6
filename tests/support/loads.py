"""Phases of each model of load, made by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from planrunner.graph.run_graph import CountedLoad, OpenLoad, PhaseNode, SearchLoad
from planrunner.metrics.thresholds import parse_threshold
from planrunner.schedule.arrivals import ArrivalKind, RateStage
from planrunner.schedule.search import SearchSteps
from planrunner.units import NS_PER_S, Rate

__all__ = ["counted", "ns", "open_phase", "per_second", "search"]


def ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)


def per_second(rate: float) -> Rate:
    exact = Fraction(str(rate)) / NS_PER_S
    return Rate(exact.numerator, exact.denominator)


def _phase(name: str, load: Any, classes: Sequence[str], more: Mapping[str, float]) -> PhaseNode:
    times = {f"{key}_ns": ns(value) for key, value in more.items()}
    return PhaseNode(name, load, tuple(classes), **times)  # type: ignore[arg-type]


def open_phase(
    rate: float | Mapping[str, float],
    hold: float = 1,
    *,
    stages: Sequence[tuple[float, float]] | None = None,
    name: str = "main",
    classes: Sequence[str] = ("Visitor",),
    max_users: int = 1000,
    arrivals: str = "uniform",
    **more: float,
) -> PhaseNode:
    """A phase with arrivals; `stages` are pairs of seconds and rate."""
    exact = rate if isinstance(rate, Mapping) else {}
    total = sum(exact.values()) if isinstance(rate, Mapping) else rate
    levels = [(0, total), (hold, total)] if stages is None else list(stages)
    names = ["hold", "hold"] if stages is None else [str(n + 1) for n in range(len(levels))]
    load = OpenLoad(
        tuple(
            RateStage(stage, ns(seconds), per_second(level))
            for stage, (seconds, level) in zip(names, levels, strict=True)
        ),
        tuple((key, per_second(value)) for key, value in exact.items()),
        ArrivalKind(arrivals),
        max_users,
    )
    return _phase(name, load, tuple(exact) or classes, more)


def counted(
    users: int,
    *,
    iterations: int = 0,
    per_user: int = 0,
    max_duration: float = 600,
    ramp_up: float = 0,
    name: str = "main",
    classes: Sequence[str] = ("Visitor",),
    **more: float,
) -> PhaseNode:
    load = CountedLoad(users, ns(max_duration), (), iterations, per_user, ns(ramp_up))
    return _phase(name, load, classes, more)


def search(
    vary: str,
    first: float,
    last: float,
    slo: Sequence[str],
    *,
    hold: float = 10,
    settle: float = 0,
    cooldown: float = 0,
    name: str = "find",
    classes: Sequence[str] = ("Visitor",),
    graceful_stop: float = 30,
    **steps: Any,
) -> PhaseNode:
    exact = {
        key: Fraction(str(value)) if key in ("plus", "times", "grain") else value
        for key, value in steps.items()
    }
    # As the compiler does: each has the phase as its scope.
    thresholds = [
        parse_threshold(re.sub(r" ([<>])", rf" in phase {name} \1", text)) for text in slo
    ]
    load = SearchLoad(
        vary,
        SearchSteps(Fraction(str(first)), Fraction(str(last)), **exact),
        ns(hold),
        ns(settle),
        tuple(thresholds),
        ns(cooldown),
    )
    return _phase(name, load, classes, {"graceful_stop": graceful_stop})
