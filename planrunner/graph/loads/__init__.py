"""The loads that a phase may have: how many users or arrivals there are, and when.

Each describes itself (`LoadModel`), in a file of its own. What it takes to run one is in
`engine/load_models`, also in a file of its own.
"""

from __future__ import annotations

from typing import Final, get_args

from planrunner.graph.loads.closed import ClosedLoad
from planrunner.graph.loads.counted import CountedLoad
from planrunner.graph.loads.load_model import (
    BY_HAND,
    AchievedLoad,
    LoadModel,
    PhaseCounts,
    SetLevel,
    any_open_ended,
)
from planrunner.graph.loads.open import OpenLoad
from planrunner.graph.loads.search import SearchLoad
from planrunner.graph.loads.tool import ToolLoad

__all__ = [
    "BY_HAND",
    "LOAD_TYPES",
    "AchievedLoad",
    "ClosedLoad",
    "CountedLoad",
    "Load",
    "LoadModel",
    "OpenLoad",
    "PhaseCounts",
    "RunnableLoad",
    "SearchLoad",
    "SetLevel",
    "ToolLoad",
    "any_open_ended",
]

RunnableLoad = ClosedLoad | OpenLoad | CountedLoad
"""What a worker runs; a search is several of these, and a tool's run is none."""

Load = RunnableLoad | SearchLoad | ToolLoad

LOAD_TYPES: Final[tuple[type[LoadModel], ...]] = get_args(Load)
"""Every load, in the order in which the forecast says how it counts."""
