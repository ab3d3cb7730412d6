"""Runs a search: one level after the other, each judged by its own samples alone.

A level is a load of its own with fresh users: it is kept for `hold`, what still runs may finish
in the graceful stop, and then it is judged. So no level suffers from the one before it, and the
slowest requests of an overloaded level are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from planrunner.compiler.graph import ClosedLoad, OpenLoad, PhaseNode, SearchLoad, Stage
from planrunner.compiler.load_words import level_words
from planrunner.engine.crew import RunningPhase
from planrunner.engine.ledger import Ledger, LevelPart
from planrunner.engine.nap import Nap
from planrunner.engine.stop import Stop, StopLevel
from planrunner.engine.timeline import SearchTimeline
from planrunner.load.arrivals import RateStage
from planrunner.load.search import Found, Purpose, Trial, trials
from planrunner.metrics.judge import Gate
from planrunner.metrics.threshold import Metric, Ratio, Scope, Threshold
from planrunner.metrics.verdict import Verdict
from planrunner.results.loads import Sustainable
from planrunner.results.model import Totals
from planrunner.results.record import SearchStep
from planrunner.units import NS_PER_S, Rate

__all__ = ["Search", "level_load"]

_CUT_WORDS: Final = "iterations that did not end within the graceful stop"


def level_load(load: SearchLoad, level: Fraction) -> ClosedLoad | OpenLoad:
    """Return the load of one level."""
    if load.vary == "users":
        return ClosedLoad((Stage("", 0, int(level)), Stage("", load.hold_ns, int(level))))
    rate = Rate(level.numerator, level.denominator * NS_PER_S)
    stages = (RateStage("", 0, rate), RateStage("", load.hold_ns, rate))
    return OpenLoad(stages, max_users=load.max_users)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What came of a level: empty `broken` when it held."""

    broken: str
    totals: Totals

    @property
    def held(self) -> bool:
        return not self.broken


class Search:
    """One search on its way.

    Args:
        phase: Whose load is a search.
        bound: The same on the workers.
        timeline: Gets a stage for each level.
        ledger: Has the samples, once `drain` was called.
        drain: Fetches what workers have.
        stop: Of the run.
        nap: On which it waits between levels.

    Attributes:
        steps: The levels tried so far.
    """

    def __init__(  # noqa: PLR0913 - the places where a search touches its run
        self,
        phase: PhaseNode,
        *,
        bound: RunningPhase,
        timeline: SearchTimeline,
        ledger: Ledger,
        drain: Callable[[], object],
        stop: Stop,
        nap: Nap,
    ) -> None:
        assert isinstance(phase.load, SearchLoad)
        self._phase = phase
        self._load = phase.load
        self._bound = bound
        self._timeline = timeline
        self._ledger = ledger
        self._drain = drain
        self._stop = stop
        self._nap = nap
        self.steps: list[SearchStep] = []
        self._names: list[str] = []

    async def run(self, now_ns: Callable[[], int]) -> Sustainable:
        """Try levels until the highest that holds is found, or the run is told to end."""
        steps = trials(self._load.steps)
        trial = next(steps)
        while True:
            name = self._name(trial.level, trial.purpose)
            judged = await self._try(trial.level, name, now_ns() + self._bound.lead_ns)
            if self._stop.level is not StopLevel.RUNNING or self._bound.stopped:
                return self._unfinished()
            self.steps.append(self._step(trial, judged))
            try:
                trial = steps.send(judged.held)
            except StopIteration as end:
                found: Found = end.value
                return self._result(found)
            await self._nap.until(now_ns() + self._load.cooldown_ns)
            if self._nap.cut:
                return self._unfinished()

    def _step(self, trial: Trial, judged: _Judged) -> SearchStep:
        why = "" if trial.purpose is Purpose.CLIMB else trial.purpose.value
        return SearchStep(
            phase=self._phase.name,
            vary=self._load.vary,
            level=float(trial.level),
            held=judged.held,
            requests_per_second=judged.totals.requests_per_second,
            error_rate_percent=judged.totals.error_rate,
            p95_ns=round(judged.totals.p95_response_time * NS_PER_S),
            reason=judged.broken or why,
        )

    def _name(self, level: Fraction, purpose: Purpose) -> str:
        words = level_words(level, self._load.vary)
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
            Gate(replace(threshold, abort=None, not_applicable="")) for threshold in load.slo
        )
        self._timeline.open_level(name, begin_ns, settle_ns=load.settle_ns, hold_ns=load.hold_ns)
        level_part = LevelPart(self._phase.name, name, gates)
        self._ledger.parts.append(level_part)
        await self._bound.run(level_load(load, level), begin_ns)
        self._drain()
        self._ledger.parts.remove(level_part)
        return self._judge(level_part, load.slo)

    def _judge(self, part: LevelPart, slo: Sequence[Threshold]) -> _Judged:
        evidence = self._ledger.evidence_of(part)
        broken = ""
        for gate, threshold in zip(part.gates, slo, strict=True):
            if gate.judge(evidence).verdict in (Verdict.FAIL, Verdict.NO_DATA):
                broken = _metric_words(threshold)
                break
        if not broken and self._ledger.aborted_in(part):
            broken = _CUT_WORDS
        return _Judged(broken, self._ledger.totals_of(part))

    def _result(self, found: Found) -> Sustainable:
        vary = self._load.vary
        shown = level_words(found.level, vary) if found.level else "0"
        if found.broken is None:
            why = "not reached: the slo held at every level"
        else:
            why = f"slo broken by {self._broken_by(found.broken)} at "
            why += level_words(found.broken, vary)
        return Sustainable(
            phase=self._phase.name,
            vary=vary,
            is_found=True,
            level=float(found.level),
            is_reached=found.broken is not None,
            text=f"max sustainable = {shown} ({why})",
            broken_by="" if found.broken is None else self._broken_by(found.broken),
            broken_at=float(found.broken or 0),
        )

    def _unfinished(self) -> Sustainable:
        held = max((step.level for step in self.steps if step.held), default=0.0)
        so_far = level_words(Fraction(str(held)), self._load.vary) if held else "no level"
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
        failed = [one for one in self.steps if one.level == float(level) and not one.held]
        return failed[-1].reason if failed else ""


def _metric_words(threshold: Threshold) -> str:
    """Return what a condition measures, without where: `p95`, `error_rate of tag:read`."""
    metric = threshold.metric
    if isinstance(metric, Ratio):
        return f"ratio({_plain(metric.dividend)}, {_plain(metric.divisor)})"
    return _plain(metric)


def _plain(metric: Metric) -> str:
    return str(replace(metric, scope=Scope()))
