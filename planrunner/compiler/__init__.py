"""CheckedPlan → RunGraph: names resolved, constants folded, requests ready; no I/O, no asyncio."""

from __future__ import annotations

from planrunner.compiler.compile import compile_plan
from planrunner.compiler.load.selection import PlanSelection
from planrunner.compiler.source import GraphSource

__all__ = ["GraphSource", "PlanSelection", "compile_plan"]
