"""A phase's load in words, and as data of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, assert_never

from planrunner.graph.load import ClosedLoad, CountedLoad, Load, OpenLoad, SearchLoad
from planrunner.load.arrivals import RateStage
from planrunner.load.population import Stage
from planrunner.load.search import SearchSteps
from planrunner.units import format_count, write_duration, write_rate

__all__ = ["level_words", "load_json", "load_words"]


def load_words(load: Load) -> Iterator[str]:
    """Yield the model of load in a line, then its stages."""
    match load:
        case ClosedLoad():
            yield f"closed model, at most {_users(load.most_users)}"
            yield from _stages(load.stages)
            if load.throttle is not None:
                yield f"at most {write_rate(load.throttle)} requests, evenly spaced"
        case OpenLoad():
            yield (
                f"open model, {load.arrivals} arrivals, at most {_users(load.max_users)}; "
                "an arrival that finds all busy is dropped"
            )
            yield from _rate_stages(load.stages)
            yield from (f"{name}: {write_rate(rate)}" for name, rate in load.exact)
        case CountedLoad():
            each = "each" if load.per_user else "in all"
            count = load.per_user or load.iterations
            iterations = format_count(count, "iteration")
            yield f"counted, {_users(load.users)}, {iterations} {each}"
            yield f"ends after {write_duration(load.max_duration_ns)} even if some are left"
        case SearchLoad():
            yield from _search(load)
        case _ as unreachable:
            assert_never(unreachable)


def _users(count: int) -> str:
    return format_count(count, "user")


def _stages(stages: Sequence[Stage]) -> Iterator[str]:
    level = 0
    for stage in stages:
        took = write_duration(stage.duration_ns)
        if stage.level == level:
            words = f"{_users(level)} for {took}"
        elif stage.duration_ns == 0:
            words = f"{_users(stage.level)} at once"
        else:
            words = f"{level:,} → {_users(stage.level)} over {took}"
        if stage.duration_ns or stage.level != level:
            yield f"{stage.name}: {words}"
        level = stage.level


def _rate_stages(stages: Sequence[RateStage]) -> Iterator[str]:
    before = "0/s"
    for stage in stages:
        took, rate = write_duration(stage.duration_ns), write_rate(stage.rate)
        if stage.duration_ns:
            words = f"{rate} for {took}" if rate == before else f"{before} → {rate} over {took}"
            yield f"{stage.name}: {words}"
        before = rate


def _search(load: SearchLoad) -> Iterator[str]:
    steps = load.steps
    what = "users" if load.vary == "users" else "arrivals a second"
    yield f"search for the most {what} that hold"
    yield f"from {_level(steps.first, load)} to {_level(steps.last, load)}, {_step(steps, load)}"
    settle = f", the first {write_duration(load.settle_ns)} not judged" if load.settle_ns else ""
    yield f"each level for {write_duration(load.hold_ns)}{settle}"
    yield from (f"holds while {threshold.text or threshold}" for threshold in load.slo)
    if steps.refine:
        yield f"halves the gap up to {format_count(steps.refine, 'time')}"
    if steps.confirm:
        times = "once" if steps.confirm == 1 else f"{steps.confirm} times"
        yield f"runs the best level again {times}"
    if load.cooldown_ns:
        yield f"pauses {write_duration(load.cooldown_ns)} between levels"


def _step(steps: SearchSteps, load: SearchLoad) -> str:
    if steps.times:
        return f"each {float(steps.times):g} times the one before"
    return f"{_level(steps.plus, load)} more each time"


def _level(level: Fraction, load: SearchLoad) -> str:
    return level_words(level, load.vary)


def level_words(level: Fraction, vary: str) -> str:
    """Return a level of a search as people write it: `40 users`, `430/s`."""
    if vary == "rate":
        return f"{float(level):.12g}/s"
    return f"{level} user{'s' if level != 1 else ''}"


def load_json(load: Load) -> dict[str, Any]:
    """Return the load as data of `explain --graph json`."""
    match load:
        case ClosedLoad():
            return {
                "model": "closed",
                "exact": dict(load.exact),
                "throttle": None if load.throttle is None else write_rate(load.throttle),
                "stages": [
                    {"name": stage.name, "duration_ns": stage.duration_ns, "users": stage.level}
                    for stage in load.stages
                ],
            }
        case OpenLoad():
            return {
                "model": "open",
                "exact": {name: write_rate(rate) for name, rate in load.exact},
                "arrivals": load.arrivals.value,
                "max_users": load.max_users,
                "stages": [
                    {
                        "name": stage.name,
                        "duration_ns": stage.duration_ns,
                        "rate": write_rate(stage.rate),
                    }
                    for stage in load.stages
                ],
            }
        case CountedLoad():
            return {
                "model": "counted",
                "exact": dict(load.exact),
                "most_users": load.users,
                "iterations": load.iterations or None,
                "iterations_per_user": load.per_user or None,
                "max_duration_ns": load.max_duration_ns,
            }
        case SearchLoad():
            return {
                "model": "search",
                "vary": load.vary,
                "from": level_words(load.steps.first, load.vary),
                "to": level_words(load.steps.last, load.vary),
                "hold_ns": load.hold_ns,
                "settle_ns": load.settle_ns,
                "cooldown_ns": load.cooldown_ns,
                "slo": [str(threshold) for threshold in load.slo],
            }
        case _ as unreachable:
            assert_never(unreachable)
