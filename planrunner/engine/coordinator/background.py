"""What goes on beside the load: watching the system under test."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import field
from typing import Any

from planrunner.metrics.judging.evidence import GaugePoint
from planrunner.values import dataclass

__all__ = ["Background"]


@dataclass(frozen=True, slots=True)
class Background:
    """Coroutine functions that run as long as the load does, and the gauges that they fill.

    Attributes:
        watches: Each is cancelled at the end of the run.
        gauges: By the names that thresholds know, in order of time; they grow meanwhile.
        notices: Says at the end what the user should know of them.
    """

    watches: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    gauges: Mapping[str, Sequence[GaugePoint]] = field(default_factory=dict)
    notices: Callable[[], Sequence[str]] = tuple
