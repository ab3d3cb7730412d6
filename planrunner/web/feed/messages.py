"""What a run tells the page's process, and what that asks of the run; values that pickle.

```
run                                                 page
                                               ←    ServePage: where to listen
  PageListening, PageRefused                   →
  RunOpened: what is known before the load     →
  RunStarted, PhaseStarted, PhaseEnded, …      →
  SecondSeen: what one second was              →
                                               ←    StopAsked: please end the run
                                               ←    LoadAsked: please change the load of a phase
  LoadRefused: why that can't be               →
  RunJudged: what came of it                   →
  RunOver: its files are written, or why not   →
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from planrunner.engine.coordinator.events import Standing
from planrunner.engine.workers.worker_state import WorkerStanding
from planrunner.outputs.base import Second
from planrunner.results.record import FailingSample
from planrunner.values import dataclass

__all__ = [
    "ARRIVAL_WORDS",
    "LoadAsked",
    "LoadRefused",
    "PageAsks",
    "PageListening",
    "PageRefused",
    "RunJudged",
    "RunOpened",
    "RunOver",
    "SecondSeen",
    "ServePage",
    "StopAsked",
]

ARRIVAL_WORDS: Final = ("due", "started", "dropped", "late")


@dataclass(frozen=True, slots=True)
class ServePage:
    """Listen, for one run."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class PageListening:
    """The page can be opened.

    Attributes:
        url: For a person to open; it has the token.
        ticket: Opens the page once, for a browser whose command line others can read.
    """

    url: str
    ticket: str


@dataclass(frozen=True, slots=True)
class PageRefused:
    """It can't listen."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class RunOpened:
    """A run is about to begin.

    Attributes:
        facts: `run` of its state: JSON.
    """

    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SecondSeen:
    """What one second of the run was.

    Attributes:
        standings: Of all thresholds.
        failing: Those that are new.
        arrivals: What became of iterations that had a due time, by `ARRIVAL_WORDS`; none without.
        gauges: What each measured last, of those that measured.
    """

    second: Second
    standings: tuple[Standing, ...]
    doubts: tuple[str, ...] = ()
    failing: tuple[FailingSample, ...] = ()
    workers: tuple[WorkerStanding, ...] = ()
    arrivals: Mapping[str, int] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunJudged:
    """The load is over.

    Attributes:
        result: `result` of its state, without files: JSON.
    """

    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunOver:
    """Nothing more happens.

    Attributes:
        exit_code: Of the run.
        directory: Where its files are.
        files: The names of those that may be read.
        message: Why it could not run, or its result not be kept; empty when it could.
        hint: What to do about that.
        lingers: The page may be looked at as long as somebody does.
        faults: Of the plan, where that is why: JSON.
    """

    exit_code: int
    directory: str = ""
    files: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""
    lingers: bool = False
    faults: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody wants the run to end.

    Attributes:
        at_once: Without waiting for iterations to finish.
    """

    at_once: bool


@dataclass(frozen=True, slots=True)
class LoadAsked:
    """Somebody wants another load in a phase that runs.

    Attributes:
        how: `set`, `pause` or `resume`.
        level: For `set`: users, or a rate such as `20/s`; without a unit it is per second.
    """

    phase: str
    how: str
    level: str = ""


@dataclass(frozen=True, slots=True)
class LoadRefused:
    """The load of a phase stays as it is.

    Attributes:
        message: Why.
        hint: What to do about it.
    """

    message: str
    hint: str


PageAsks = StopAsked | LoadAsked
"""What the page asks of a run."""
