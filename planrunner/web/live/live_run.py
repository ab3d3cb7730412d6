"""A run as the page shows it: takes in what the run says, and says what has changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from planrunner.engine.coordinator.events import (
    Logged,
    Noticed,
    PhaseEnded,
    PhaseStarted,
    RunStarted,
    Standing,
    Stopping,
)
from planrunner.engine.steering import ChangedLoad
from planrunner.engine.workers.worker_state import WorkerStanding
from planrunner.graph.loads import BY_HAND
from planrunner.metrics.amounts import Unit
from planrunner.metrics.judging.verdict import Verdict
from planrunner.outputs.base import RunEvent, Second
from planrunner.results.record import FailingSample
from planrunner.results.record.hosts import slowest
from planrunner.web.feed.messages import (
    LoadRefused,
    RunJudged,
    RunOpened,
    RunOver,
    SecondSeen,
)
from planrunner.web.feed.result_facts import verdict_of
from planrunner.web.live.interval import LoadAskedFor, in_ms, interval_of
from planrunner.web.live.past import LivePast
from planrunner.web.live.phase_clock import PhaseClock
from planrunner.web.live.totals import LiveTotals

__all__ = ["LiveRun", "RunSays"]

_MOST_LINES: Final = 500
_MOST_EXCHANGES: Final = 120
_REPORT: Final = "report.html"

RunSays = RunOpened | RunEvent | SecondSeen | LoadRefused | RunJudged | RunOver
"""What a run says to the page."""


class LiveRun:
    """The state of one run.

    Attributes:
        second: The last that it has heard of.
        is_over: Nothing more comes.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self._past = LivePast()
        self._totals = LiveTotals()
        self._phases = PhaseClock(facts["phases"], facts["planned_s"])
        self._log: deque[dict[str, Any]] = deque(maxlen=_MOST_LINES)
        self._exchanges: list[dict[str, Any]] = []
        self._changes: list[dict[str, Any]] = []
        self._said = 0
        self._lost = 0
        self.second = 0
        self._left_out = 0
        self._thresholds = [
            {
                "text": one["text"],
                "verdict": Verdict.NO_DATA.value,
                "observed": "",
                "limit": "",
                "value": None,
                "limit_value": None,
                "unit": one["unit"],
                "pair": one["pair"],
            }
            for one in facts["thresholds"]
        ]
        self._generator: dict[str, Any] = {}
        self._workers: list[dict[str, Any]] = []
        self._status: dict[str, Any] = {
            "state": "preparing",
            "started": None,
            "second": 0,
            "left_s": facts["planned_s"],
            "phases": [],
            "stages": {},
            "warmup": False,
            "users": 0,
            "stopping": None,
            "refused": None,
        }
        self._result: dict[str, Any] | None = None
        self.directory: Path | None = None
        self.files: tuple[str, ...] = ()
        self.is_over = False

    @property
    def id(self) -> str:
        return str(self.facts["id"])

    @property
    def has_ended(self) -> bool:
        """Whether there is no load any more."""
        return self._result is not None

    def state(self) -> dict[str, Any]:
        """Return everything."""
        return {
            "run": self.facts,
            "status": self._status,
            "totals": self._totals.totals(),
            "now": self._totals.now(),
            "phases": self._phases.as_json(),
            "thresholds": self._thresholds,
            "columns": self._past.as_json(),
            "requests": self._totals.requests(),
            "failures": self._totals.failures(),
            "exchanges": self._exchanges,
            "changes": self._changes,
            "log": list(self._log),
            "log_left_out": self._left_out,
            "generator": self._generator,
            "workers": self._workers,
            "lost": self._lost,
            "result": self._result,
        }

    def take(self, said: RunSays) -> dict[str, Any] | None:
        """Take in what the run says; returns what has changed, None if that is nearly everything.

        Raises:
            TypeError: No run says that.
        """
        match said:
            case SecondSeen():
                return self._second(said)
            case PhaseStarted() | PhaseEnded():
                return self._phase(said)
            case ChangedLoad():
                return self._changed(said)
            case Logged():
                return self._lines(said)
            case Noticed():
                return self._lines(Logged((f"notice: {said.words}",), 0))
            case _:
                self._note_state(said)
                return {"status": self._status, "result": self._result}

    def _note_state(self, said: RunSays) -> None:
        match said:
            case RunStarted():
                self._status |= {"state": "running"}
                self._phases.begin(said.started_ns)
            case Stopping():
                self._stopping(said)
            case LoadRefused():
                self._status |= {"refused": {"message": said.message, "hint": said.hint}}
            case RunJudged():
                self._status |= {"state": "reporting", "left_s": None}
                self._result = said.result
            case RunOver():
                self._end(said)
            case _:
                raise TypeError(f"no page knows what to do with {said!r}")

    def _second(self, seen: SecondSeen) -> dict[str, Any] | None:
        second = seen.second
        self._lost += max(second.number - self.second - 1, 0)
        self.second = second.number
        self._note(second)
        if seen.standings:
            units = [one["unit"] for one in self.facts["thresholds"]]
            self._thresholds = [*_standings(seen.standings, units)]
        amounts = [one["value"] for one in self._thresholds]
        self._totals.add(second.snapshot)
        interval = interval_of(seen, asked=self._asked(), thresholds=amounts)
        has_folded = self._past.add(interval)
        self._health(seen)
        exchanges = [*_exchanges(seen.failing)][: _MOST_EXCHANGES - len(self._exchanges)]
        self._exchanges += exchanges
        if has_folded:
            return None
        return {
            "status": self._status,
            "totals": self._totals.totals(),
            "now": self._totals.now(),
            "thresholds": self._thresholds,
            "requests": self._totals.requests(),
            "failures": self._totals.failures(),
            "generator": self._generator,
            "workers": self._workers,
            "lost": self._lost,
            "column": {"at": self._past.at, "step": self._past.step, **self._past.last},
            **({"exchanges": exchanges} if exchanges else {}),
        }

    def _note(self, second: Second) -> None:
        labels = [
            one
            for one in second.snapshot.deltas
            if one.kind == "request" and one.measured and not one.after
        ]
        self._status |= {
            "second": second.number,
            "left_s": self._phases.left_s(second.number),
            "users": sum(second.snapshot.users.values()),
            "warmup": bool(labels) and all(one.warmup and one.stage != BY_HAND for one in labels),
        }
        if not second.is_last:
            stages = {one.phase: one.stage for one in labels}
            running = {name: self._phases.stage(name, second.number) for name in second.phases}
            self._status |= {
                "phases": list(second.phases),
                "stages": {name: at or stages.get(name, "") for name, at in running.items()},
            }
        if self._status["started"] is None:
            self._status["started"] = second.ended.isoformat()

    def _asked(self) -> LoadAskedFor:
        return self._phases.asked(self.second)

    def _health(self, seen: SecondSeen) -> None:
        if (health := seen.second.health) is not None:
            self._generator = {
                "lag": in_ms(health.loop_lag_ns),
                "cpu": round(health.cpu_share, 3),
                "open_files": health.open_files,
                "collections": health.collections,
                "doubts": list(seen.doubts),
            }
        worst = slowest(one for one in seen.workers if not one.fate)
        self._workers = [_worker(one, is_slowest=one is worst) for one in seen.workers]

    def _phase(self, event: PhaseStarted | PhaseEnded) -> dict[str, Any]:
        if isinstance(event, PhaseStarted):
            self._phases.started(event)
        else:
            self._phases.ended(event.times)
        return {"phases": self._phases.as_json()}

    def _lines(self, logged: Logged) -> dict[str, Any]:
        lines = [{"t": self.second, "text": text} for text in logged.lines]
        full = len(self._log) + len(lines) - _MOST_LINES
        self._left_out += max(full, 0) + logged.suppressed
        self._log.extend(lines)
        return {"log": lines, "log_left_out": self._left_out}

    def _changed(self, event: ChangedLoad) -> dict[str, Any]:
        change = self._phases.changed(event)
        self._changes.append(change)
        self._status |= {"refused": None}
        return {"changes": [change], "status": self._status}

    def _stopping(self, event: Stopping) -> None:
        stopping = {"reason": event.reason, "most_s": self._phases.ending_s}
        self._status |= {"state": "stopping", "stopping": stopping}

    def _end(self, over: RunOver) -> None:
        self.is_over = True
        self._status |= {"state": "ended", "left_s": None}
        self.directory = Path(over.directory) if over.directory else None
        self.files = over.files
        result = self._result or {
            "exit_code": over.exit_code,
            "verdict": verdict_of(over.exit_code),
            "ended_because": over.message,
            "validity": None,
            "judgements": [],
            "notices": [],
        }
        error = {"message": over.message, "hint": over.hint} if over.message else None
        base = f"runs/{quote(self.id)}"
        self._result = {
            **result,
            "error": error,
            "report": f"{base}/{_REPORT}" if _REPORT in over.files else None,
            "files": [{"name": name, "url": f"{base}/files/{quote(name)}"} for name in over.files],
        }


def _standings(standings: Iterable[Standing], units: Sequence[str]) -> Iterator[dict[str, Any]]:
    for one, unit in zip(standings, units, strict=True):
        is_time = unit == Unit.DURATION
        yield {
            "text": one.threshold,
            "verdict": one.verdict.value,
            "observed": one.observed,
            "limit": one.limit,
            "value": _amount(one.amount, is_time=is_time),
            "limit_value": _amount(one.limit_amount, is_time=is_time),
            "unit": unit,
            "pair": one.pair,
        }


def _worker(one: WorkerStanding, *, is_slowest: bool) -> dict[str, Any]:
    return {
        "name": one.name,
        "host": one.host,
        "alive": not one.fate,
        "silent": one.is_silent,
        "slowest": is_slowest,
        "users": one.users,
        "rate": one.requests_per_second,
        "cpu": round(one.cpu_share, 3),
        "late": in_ms(one.lateness_p99_ns),
        "lag": in_ms(one.loop_lag_ns),
        "open_files": one.open_files,
        "clock_error": in_ms(one.clock_error_ns),
        "fate": one.fate,
    }


def _amount(amount: float | None, *, is_time: bool) -> float | None:
    if amount is None or not isfinite(amount):
        return None
    return in_ms(amount) if is_time else amount


def _exchanges(failing: Iterable[FailingSample]) -> Iterator[dict[str, Any]]:
    for one in failing:
        yield {
            "request": one.request,
            "phase": one.phase,
            "kind": one.failure_text,
            "reason": one.reason,
            "method": one.method,
            "status": one.status,
            "t": round(one.second, 3),
            "latency": in_ms(one.latency_ns),
            "sent": one.sent,
            "received": one.received,
            "tags": dict(one.tags),
        }
