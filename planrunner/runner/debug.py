"""Tries a plan: each task once with one user, and all that is sent and received, as it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from planrunner.clock import MonotonicClock
from planrunner.engine.debug.dry_run import DryRun
from planrunner.engine.debug.dry_run import dry_run as dry_run_engine
from planrunner.engine.debug.trace_events import TraceEvent
from planrunner.engine.recording.run_masker import RunMasker
from planrunner.engine.stop import Stop, interrupted_by
from planrunner.engine.workers.local import run_masker
from planrunner.runner.data.files import with_files_written
from planrunner.runner.environment import around_load, check_targets, examine_requests
from planrunner.runner.event_loop import client_factories
from planrunner.runner.request import CompiledPlan, RunRequest, compile_request, new_run_id
from planrunner.runner.tool_runs import first_of_tools, tool_runs

__all__ = ["dry_run"]


async def dry_run(
    request: RunRequest | CompiledPlan,
    trace: Callable[[TraceEvent], None],
    mask: RunMasker | None = None,
) -> DryRun:
    """Run each task once: no load, no result, and no files that stay.

    Args:
        request: What to try.
        trace: Called with each event, secrets included: mask what people see.
        mask: Does so; it learns the secrets that the user meets before `trace` is called.

    Raises:
        PlanError: The plan is invalid.
        CannotRun: A service, the target, preflight or setup failed.
        Interrupted: It was stopped.
    """
    compiled = request if isinstance(request, CompiledPlan) else compile_request(request)
    graph, clock, run_id = compiled.graph, MonotonicClock(), new_run_id()
    # Of a matrix, what its first phase reads.
    graph = replace(graph, phases=(*graph.first_phases(), *first_of_tools(graph)))
    stop = compiled.request.stop or Stop()
    mask = mask or run_masker(graph)
    with (
        mask.errors(),
        interrupted_by(stop),
        TemporaryDirectory() as scratch,
    ):
        directory, tell = Path(scratch), compiled.request.tell
        graph, _ = await with_files_written(graph, directory, run_id, tell)
        async with around_load(
            graph,
            directory=directory,
            run_id=run_id,
            environ=compiled.request.variables(),
            clock=clock,
            stop=stop,
            mask=mask,
        ):
            if not graph.preflight:
                await check_targets(graph)
            await examine_requests(graph, compiled.plan.document)
            return await dry_run_engine(
                graph,
                clients=client_factories(graph),
                clock=clock,
                report=trace,
                mask=mask,
                run_id=run_id,
                run_dir=scratch,
                tools=tool_runs(graph, directory, compiled.request.variables(), mask, once=True),
            )
