"""Runs a compiled plan: `RunGraph` to `RunOutcome`."""

from __future__ import annotations

from planrunner.engine.coordinator.background import Background
from planrunner.engine.coordinator.coordinator import Listener, run
from planrunner.engine.coordinator.events import (
    Event,
    Logged,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    RunStarted,
    Stopping,
    Tick,
)
from planrunner.engine.coordinator.outcome import PhaseTimes, RunOutcome, StageTimes
from planrunner.engine.steering import ChangedLoad, Steering
from planrunner.engine.stop import Ending, Stop, StopLevel

__all__ = [
    "Background",
    "ChangedLoad",
    "Ending",
    "Event",
    "Listener",
    "Logged",
    "PhaseEnded",
    "PhaseStarted",
    "PhaseTimes",
    "RunEnded",
    "RunOutcome",
    "RunStarted",
    "StageTimes",
    "Steering",
    "Stop",
    "StopLevel",
    "Stopping",
    "Tick",
    "run",
]
