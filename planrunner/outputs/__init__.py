"""Receives a run while it lasts, second by second: the contract, and the fan-out to several."""

from __future__ import annotations

from planrunner.outputs.base import (
    Output,
    RunEvent,
    RunInfo,
    Second,
    WithEvents,
    WithInsight,
    WithResult,
    WithStandings,
)
from planrunner.outputs.fan_out import FanOut

__all__ = [
    "FanOut",
    "Output",
    "RunEvent",
    "RunInfo",
    "Second",
    "WithEvents",
    "WithInsight",
    "WithResult",
    "WithStandings",
]
