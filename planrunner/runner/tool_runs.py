"""Phases that other tools run: looked for before the load, and started beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from planrunner.engine.tool_runs.tool_phase import StartTool
from planrunner.graph.loads import ToolLoad
from planrunner.graph.run_graph import PhaseNode, RunGraph
from planrunner.language.secrets import MASK, Masker
from planrunner.tools.contract import ToolJob, ToolSample
from planrunner.tools.installed import need_program
from planrunner.tools.registry import named_tool
from planrunner.tools.tool_run import ToolEnd, ToolRun, ToolSetting

__all__ = ["PhaseRun", "first_of_tools", "need_tools", "tool_runs"]


def tool_loads(graph: RunGraph) -> Iterator[ToolLoad]:
    """Yield what other tools do in the phases of a plan."""
    for phase in graph.phases:
        if isinstance(phase.load, ToolLoad):
            yield phase.load


def first_of_tools(graph: RunGraph) -> tuple[PhaseNode, ...]:
    """Return the phases that other tools run, of a matrix the first."""
    foreign = (phase for phase in reversed(graph.phases) if phase.load.is_foreign)
    firsts = {phase.matrix or phase.name: phase for phase in foreign}
    return tuple(phase for phase in graph.phases if phase in firsts.values())


def need_tools(graph: RunGraph, environ: Mapping[str, str]) -> None:
    """Look for the tools of a plan before anything is started.

    Raises:
        CannotRun: One of them isn't installed.
    """
    for load in tool_loads(graph):
        need_program(named_tool(load.tool), environ)


def tool_runs(
    graph: RunGraph,
    directory: Path,
    environ: Mapping[str, str],
    mask: Masker,
    *,
    once: bool = False,
) -> StartTool:
    """Return what makes the run that a phase asks for; its output is kept in the directory.

    Args:
        graph: The plan.
        directory: Of the run.
        environ: What tools inherit.
        mask: Knows what is kept out of what they print.
        once: Whether they do the least that they can.
    """
    numbers = {phase.name: number for number, phase in enumerate(graph.phases, 1)}

    def start(phase: PhaseNode) -> PhaseRun:
        load = phase.load
        assert isinstance(load, ToolLoad)
        tool = named_tool(load.tool)
        name = f"{tool.name}-{numbers[phase.name]}"
        place = (directory / name).absolute()
        program = need_program(tool, environ)
        job = ToolJob(program, load.script, load.args, place, once=once)
        setting = ToolSetting(
            load.directory,
            place.with_name(f"{name}.log"),
            {**environ, **dict(load.env)},
            mask.pattern,
            MASK,
            phase.graceful_stop_ns,
            load.timeout_ns,
        )
        return PhaseRun(ToolRun(tool, job, setting), place)

    return start


class PhaseRun:
    """A tool's run whose files go when they have been read; what it printed stays."""

    def __init__(self, run: ToolRun, directory: Path) -> None:
        self._run = run
        self._directory = directory
        self.stop, self.kill, self.wall_ns = run.stop, run.kill, run.wall_ns

    @property
    def users(self) -> int | None:
        return self._run.users

    @property
    def lasted_ns(self) -> int:
        return self._run.lasted_ns

    async def run(self, take: Callable[[Sequence[ToolSample]], None]) -> ToolEnd:
        try:
            return await self._run.run(take)
        finally:
            shutil.rmtree(self._directory, ignore_errors=True)
