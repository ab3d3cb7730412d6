"""Receives a run while it lasts, second by second: the contract, and the fan-out to several.

A package with an output of its own imports these names; each is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planrunner.errors import CannotRun
    from planrunner.outputs.base import (
        Output,
        RunEvent,
        RunInfo,
        Second,
        WantedOutput,
        WithEvents,
        WithInsight,
        WithLinger,
        WithLosses,
        WithResult,
        WithSamples,
        WithStandings,
    )
    from planrunner.outputs.fan_out import FanOut
    from planrunner.outputs.http_sender import HttpSender
    from planrunner.outputs.sending import Batch, Refused, SendingOutput, Unreachable
    from planrunner.outputs.slices import in_slices
    from planrunner.plan.output_kinds.kind import OutputKind
    from planrunner.plan.output_kinds.model import OutputModel

__all__ = [
    "Batch",
    "CannotRun",
    "FanOut",
    "HttpSender",
    "Output",
    "OutputKind",
    "OutputModel",
    "Refused",
    "RunEvent",
    "RunInfo",
    "Second",
    "SendingOutput",
    "Unreachable",
    "WantedOutput",
    "WithEvents",
    "WithInsight",
    "WithLinger",
    "WithLosses",
    "WithResult",
    "WithSamples",
    "WithStandings",
    "in_slices",
]

_ELSEWHERE = {
    "Batch": "planrunner.outputs.sending",
    "CannotRun": "planrunner.errors",
    "FanOut": "planrunner.outputs.fan_out",
    "HttpSender": "planrunner.outputs.http_sender",
    "OutputKind": "planrunner.plan.output_kinds.kind",
    "OutputModel": "planrunner.plan.output_kinds.model",
    "Refused": "planrunner.outputs.sending",
    "SendingOutput": "planrunner.outputs.sending",
    "Unreachable": "planrunner.outputs.sending",
    "in_slices": "planrunner.outputs.slices",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - of any type
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ELSEWHERE.get(name, "planrunner.outputs.base")), name)
