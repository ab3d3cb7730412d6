"""The frozen form of a plan: what the compiler makes and the engine runs."""

from __future__ import annotations

from planrunner.graph.data import DataNode
from planrunner.graph.loads import ClosedLoad, CountedLoad, Load, LoadModel, OpenLoad, SearchLoad
from planrunner.graph.run_graph import PhaseNode, RunGraph, UserProgram
from planrunner.graph.steps import RequestNode, StepNode
from planrunner.graph.target import MonitorNode, ServiceNode

__all__ = [
    "ClosedLoad",
    "CountedLoad",
    "DataNode",
    "Load",
    "LoadModel",
    "MonitorNode",
    "OpenLoad",
    "PhaseNode",
    "RequestNode",
    "RunGraph",
    "SearchLoad",
    "ServiceNode",
    "StepNode",
    "UserProgram",
]
