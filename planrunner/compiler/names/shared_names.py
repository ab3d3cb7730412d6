"""What the steps of a plan share by name: pools, barriers, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from planrunner.graph.run_graph import PoolNode
from planrunner.plan.yaml.document import PlanPath
from planrunner.values import dataclass

__all__ = ["SharedNames"]


@dataclass(slots=True)
class SharedNames:
    """The plan's pools, and which steps use them, its barriers and its metrics.

    Attributes:
        pushed: Pools that a step pushes to.
        popped: Pools that a step takes from, with the place of the first.
        metrics: Metrics of the plan's own, each with the kind of its values where that is known.
        barriers: The place of the first step of each barrier for so many users; params of a phase
            may make it others.
    """

    pools: Mapping[str, PoolNode] = field(default_factory=dict)
    pushed: set[str] = field(default_factory=set)
    popped: dict[str, PlanPath] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    barriers: dict[tuple[str, int], PlanPath] = field(default_factory=dict)
