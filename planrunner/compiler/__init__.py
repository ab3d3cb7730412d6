"""Plan → RunGraph: names resolved, constants folded, requests made ready; no I/O, no asyncio."""

from __future__ import annotations

from planrunner.compiler.compile import compile_plan
from planrunner.graph.run_graph import RunGraph

__all__ = ["RunGraph", "compile_plan"]
