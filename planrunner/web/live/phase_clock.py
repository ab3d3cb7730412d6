"""Where the phases of a run are: planned, begun, over; and what the plan asks for at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from planrunner.engine.coordinator.events import PhaseStarted
from planrunner.engine.coordinator.outcome import PhaseTimes
from planrunner.engine.steering import ChangedLoad, level_words
from planrunner.graph.loads import BY_HAND, SetLevel
from planrunner.units import NS_PER_S
from planrunner.web.live.interval import LoadAskedFor

__all__ = ["PhaseClock"]


class PhaseClock:
    """The phases of a run.

    Args:
        facts: Of each phase, as `run` of the state has them.
        planned_s: How long all of them take; None where nobody knows.
    """

    def __init__(self, facts: Sequence[dict[str, Any]], planned_s: float | None) -> None:
        self._facts = {one["name"]: one for one in facts}
        self._planned_s = planned_s
        self._began_ns = 0
        self._ran: dict[str, dict[str, Any]] = {}
        self._running: dict[str, PhaseStarted] = {}
        self._by_hand: dict[str, float] = {}

    def begin(self, started_ns: int) -> None:
        """Count from then (clock time)."""
        self._began_ns = started_ns

    def started(self, event: PhaseStarted) -> None:
        self._running[event.name] = event
        begin_s = self._seconds(event.started_ns)
        warmup_s = self._facts.get(event.name, {}).get("warmup_s", 0.0)
        self._ran[event.name] = {
            "name": event.name,
            "begin_s": begin_s,
            "warmup_end_s": round(begin_s + warmup_s, 3),
            "end_s": None,
            "gone_s": None,
            "stages": [],
        }

    def changed(self, event: ChangedLoad) -> dict[str, Any]:
        """Take what somebody set for a phase for what is asked of it; returns that as JSON."""
        before, after = _number(event.before), _number(event.after)
        self._by_hand[event.phase] = after
        return {
            "t": self._seconds(event.at_ns),
            "phase": event.phase,
            "before": before,
            "after": after,
            "words": f"from {level_words(event.before)} to {level_words(event.after)}",
        }

    def ended(self, times: PhaseTimes) -> None:
        started = self._running.pop(times.name, None)
        planned_s = started.planned_ns / NS_PER_S if started else 0.0
        if (
            self._planned_s is not None and not self._running
        ):  # what follows comes earlier or later by as much
            self._planned_s += (times.gone_ns - times.begin_ns) / NS_PER_S - planned_s
        self._ran[times.name] = {
            "name": times.name,
            "begin_s": self._seconds(times.begin_ns),
            "warmup_end_s": self._seconds(times.warmup_end_ns),
            "end_s": self._seconds(times.end_ns),
            "gone_s": self._seconds(times.gone_ns),
            "stages": [
                {
                    "name": stage.name,
                    "begin_s": self._seconds(stage.begin_ns),
                    "end_s": self._seconds(stage.end_ns),
                }
                for stage in times.stages
            ],
        }

    def _seconds(self, moment_ns: int) -> float:
        return round((moment_ns - self._began_ns) / NS_PER_S, 3)

    def as_json(self) -> list[dict[str, Any]]:
        """Return those that have begun, in that order."""
        return list(self._ran.values())

    @property
    def ending_s(self) -> float:
        """How long those that run may take to end when they are asked to."""
        return max((one.ending_ns for one in self._running.values()), default=0) / NS_PER_S

    def left_s(self, second: int) -> float | None:
        """Return how much of the planned time is left."""
        if self._planned_s is None:
            return None
        return max(round(self._planned_s - second, 3), 0.0)

    def stage(self, name: str, second: int) -> str:
        """Return the stage that a phase is in by plan; empty for a search."""
        phase, ran = self._facts.get(name), self._ran.get(name)
        if name in self._by_hand:
            return BY_HAND
        if phase is None or ran is None or phase["model"] == "search":
            return ""
        end_s = ran["begin_s"]
        for stage in phase["stages"]:
            end_s += stage["planned_s"]
            if second <= end_s:
                return str(stage["name"])
        return ""

    def asked(self, second: int) -> LoadAskedFor:
        """Return what the plan asks for at the end of a second; None for what it doesn't say."""
        users = rate = None
        for name in self._running:
            phase = self._facts.get(name)
            if phase is None or not phase["levels"]:
                continue
            level = self._by_hand.get(name)
            if level is None:
                level = _level(phase["levels"], second - self._ran[name]["begin_s"])
            if phase["unit"] == "users":
                users = (users or 0.0) + level
            else:
                rate = (rate or 0.0) + level
        return users, rate


def _level(levels: Sequence[Sequence[float]], at_s: float) -> float:
    before_s, before = levels[0]
    for end_s, level in levels:
        if at_s < end_s:
            share = (at_s - before_s) / (end_s - before_s)
            return round(before + (level - before) * share, 3)
        before_s, before = end_s, level
    return before


def _number(level: SetLevel) -> float:
    return level if isinstance(level, int) else level.per_second
