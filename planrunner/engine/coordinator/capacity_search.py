"""Runs a search: one level after the other, each judged by its own samples alone.

A level is a load of its own with fresh users: it is kept for `hold`, what still runs may finish
in the graceful stop, and then it is judged. So no level suffers from the one before it, and the
slowest requests of an overloaded level are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from planrunner.engine.coordinator.accumulator import Accumulator
from planrunner.engine.coordinator.search_level import LevelPart, judge_level
from planrunner.engine.coordinator.worker_pool import RunningPhase
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.scheduling.timeline import SearchTimeline
from planrunner.engine.stop import Stop, StopLevel
from planrunner.graph.run_graph import PhaseNode, SearchLoad
from planrunner.metrics.judging.each import gate_of
from planrunner.results.loads import GENERATOR, Sustainable
from planrunner.results.model import Totals
from planrunner.results.record import SearchStep
from planrunner.schedule.search import FoundLevel, LevelOutcome, LevelTry, Purpose, levels_to_try
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["Search"]


@dataclass(frozen=True, slots=True)
class _Judged:
    """What came of a level, and why, if it did not hold."""

    outcome: LevelOutcome
    reason: str
    totals: Totals


class Search:
    """One search on its way.

    Args:
        phase: Whose load is a search.
        bound: The same on the workers.
        timeline: Gets a stage for each level.
        accumulator: Has the samples, once `drain` was called.
        drain: Fetches what workers have.
        stop: Of the run.
        sleeper: On which it waits between levels.

    Attributes:
        steps: The levels tried so far.
    """

    def __init__(  # noqa: PLR0913 - the places where a search touches its run
        self,
        phase: PhaseNode,
        *,
        bound: RunningPhase,
        timeline: SearchTimeline,
        accumulator: Accumulator,
        drain: Callable[[], object],
        stop: Stop,
        sleeper: InterruptibleSleep,
    ) -> None:
        assert isinstance(phase.load, SearchLoad)
        self._phase = phase
        self._load = phase.load
        self._bound = bound
        self._timeline = timeline
        self._accumulator = accumulator
        self._drain = drain
        self._stop = stop
        self._sleeper = sleeper
        self.steps: list[SearchStep] = []
        self._names: list[str] = []

    async def run(self, now_ns: Callable[[], int]) -> Sustainable:
        """Try levels until the highest that holds is found, or the run is told to end."""
        steps = levels_to_try(self._load.steps)
        trial = next(steps)
        while True:
            name = self._name(trial.level, trial.purpose)
            judged = await self._try(trial.level, name, now_ns() + self._bound.lead_ns)
            if self._stop.level is not StopLevel.RUNNING or self._bound.stopped:
                return self._unfinished()
            self.steps.append(self._step(trial, judged))
            try:
                trial = steps.send(judged.outcome)
            except StopIteration as end:
                found: FoundLevel = end.value
                return self._result(found)
            await self._sleeper.until(now_ns() + self._load.cooldown_ns)
            if self._sleeper.cut:
                return self._unfinished()

    def _step(self, trial: LevelTry, judged: _Judged) -> SearchStep:
        why = "" if trial.purpose is Purpose.CLIMB else trial.purpose.value
        return SearchStep(
            phase=self._phase.name,
            vary=self._load.vary,
            level=float(trial.level),
            held=judged.outcome is LevelOutcome.HELD,
            requests_per_second=judged.totals.requests_per_second,
            error_rate_percent=judged.totals.error_rate,
            p95_ns=round(judged.totals.p95_response_time * NS_PER_S),
            reason=judged.reason or why,
        )

    def _name(self, level: Fraction, purpose: Purpose) -> str:
        words = self._load.level_words(level)
        if purpose is Purpose.CONFIRM:
            words = f"{words} confirm"
        tried = self._names.count(words)
        self._names.append(words)
        return f"{words} {tried + 1}" if tried else words

    async def _try(self, level: Fraction, name: str, begin_ns: int) -> _Judged:
        """Run one level and judge it."""
        load = self._load
        self._drain()  # what came before is no part of it
        # Its own gates; none of them ends the run.
        gates = tuple(
            gate_of(replace(threshold, abort=None, not_applicable="")) for threshold in load.slo
        )
        self._timeline.open_level(name, begin_ns)
        level_run = LevelPart(self._phase.name, name, load.slo, gates)
        self._accumulator.levels.append(level_run)
        await self._bound.run(load.level(level), begin_ns)
        self._drain()
        self._accumulator.levels.remove(level_run)
        accumulator = self._accumulator
        outcome, reason = judge_level(
            level_run,
            accumulator.evidence_of(level_run),
            aborted=accumulator.aborted_in(level_run),
            shortage=self._bound.shortage,
        )
        return _Judged(outcome, reason, accumulator.totals_of(level_run))

    def _result(self, found: FoundLevel) -> Sustainable:
        level_words, broken = self._load.level_words, found.broken
        shown = level_words(found.level) if found.level else "0"
        why = "" if broken is None else self._broken_by(broken)
        if broken is None:
            text = f"max sustainable = {shown} (not reached: the slo held at every level)"
        elif not found.is_limited:
            text = f"max sustainable = {shown} (slo broken by {why} at {level_words(broken)})"
        else:
            said = f"{shown} or more" if found.level else "not found"
            limit = f"the generator was the limit at {level_words(broken)}: {why}"
            text = f"max sustainable {'= ' if found.level else ''}{said} ({limit})"
        return Sustainable(
            phase=self._phase.name,
            vary=self._load.vary,
            is_found=bool(found.level) or not found.is_limited,
            level=float(found.level),
            is_reached=broken is not None and not found.is_limited,
            text=text,
            broken_by=GENERATOR if found.is_limited else why,
            broken_at=float(broken or 0),
        )

    def _unfinished(self) -> Sustainable:
        held = max((step.level for step in self.steps if step.held), default=0.0)
        so_far = self._load.level_words(Fraction(str(held))) if held else "no level"
        return Sustainable(
            phase=self._phase.name,
            vary=self._load.vary,
            is_found=False,
            level=held,
            is_reached=False,
            text=f"max sustainable not found: the search was ended early ({so_far} held so far)",
        )

    def _broken_by(self, level: Fraction) -> str:
        """Return what broke at a level; of several tries the last one that failed."""
        failed = [step for step in self.steps if step.level == float(level) and not step.held]
        return failed[-1].reason if failed else ""
