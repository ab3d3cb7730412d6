"""Runs each task once with one user of each class, and reports it: no load, no results."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from copy import deepcopy
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast

from planrunner.clock import Clock
from planrunner.engine.debug.tool_trial import try_tool
from planrunner.engine.debug.trace import Trace, TracedClient
from planrunner.engine.debug.trace_events import TraceEvent
from planrunner.engine.load_models.blocks import once_timeline, run_block
from planrunner.engine.load_models.user_pool import WorkerContext
from planrunner.engine.recording.counters import Counters
from planrunner.engine.recording.recorder import PhaseRecorder
from planrunner.engine.recording.run_masker import RunMasker
from planrunner.engine.sharing.sharing import Sharing
from planrunner.engine.steps.binder import Binder, StepPlace
from planrunner.engine.steps.step_services import LogLines, StepServices
from planrunner.engine.steps.wires import Wires
from planrunner.engine.stop import Stop
from planrunner.engine.tool_runs.tool_phase import StartTool
from planrunner.engine.users.bound_task import BoundTask
from planrunner.engine.users.data_feeds import Feeds
from planrunner.engine.users.evaluate import evaluated
from planrunner.engine.users.user_context import Actor, IterationEnded, StepsStopped, run_steps
from planrunner.engine.users.virtual_user import user_stream
from planrunner.engine.users.visitor import run_once
from planrunner.engine.workers.local import channels_of, sweep_interval_ns
from planrunner.errors import CannotRun
from planrunner.graph.run_graph import Block, PhaseNode, RunGraph, StepNode, UserProgram
from planrunner.language.expressions.builtins.random_draws import Rand
from planrunner.metrics.book import SeriesBook
from planrunner.protocols.base import Client, ClientFactory, Scope
from planrunner.values import dataclass

__all__ = ["DryRun", "dry_run"]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What came of it.

    Attributes:
        failures: Requests and steps that failed.
        skipped: Tasks whose `needs` were not met.
    """

    tasks: int
    requests: int
    failures: int
    skipped: int


async def dry_run(  # noqa: PLR0913 - the one place where its parts meet
    graph: RunGraph,
    *,
    clients: Mapping[str, ClientFactory],
    clock: Clock,
    report: Callable[[TraceEvent], None],
    mask: RunMasker,
    run_id: str = "",
    run_dir: str = "",
    now: Callable[[], float] = lambda: datetime.now(UTC).timestamp(),
    tools: StartTool | None = None,
) -> DryRun:
    """Run preflight, setup, every task of the classes that the phases have once, and teardown.

    Phases of other tools run with the least that these can do.

    Thinking takes its time as always; there is no `wait` between tasks. `mask` knows the secrets
    of a user before anything of it is reported.

    Raises:
        CannotRun: Preflight or setup failed, a client or the hooks could not be had.
    """
    async with AsyncExitStack() as stack:
        opened: dict[str, Client] = {}
        for protocol in channels_of(graph):
            settings = cast("Any", graph.settings.get(protocol, {}))  # opaque to the engine
            opened[protocol] = TracedClient(clients[protocol](settings, clock))
            stack.push_async_callback(opened[protocol].close)
        scope: Scope = {
            **graph.scope,
            "run": {"id": run_id, "dir": run_dir, "seed": graph.seed},
            "now": now,
        }
        context = WorkerContext(clock=clock, wires=Wires(opened), scope=scope, seed=graph.seed)
        runner = _DryRunner(graph, context, Trace(report, mask.look_at), mask, tools)
        stack.callback(runner.close)
        sweeping = asyncio.ensure_future(_sweep(graph, opened, clock))
        stack.callback(sweeping.cancel)
        return await runner.run()


async def _sweep(graph: RunGraph, opened: Mapping[str, Client], clock: Clock) -> None:
    interval_ns = sweep_interval_ns(graph)
    while True:
        await clock.sleep_until(clock.now_ns() + interval_ns)
        for client in opened.values():
            client.sweep(clock.now_ns())


class _TracedLog(LogLines):
    """Tells what `log` steps write as they write it."""

    def __init__(self, mask: RunMasker, trace: Trace) -> None:
        super().__init__(mask)
        self._trace = trace

    def write(self, line: str, scope: Mapping[str, object]) -> None:
        self.mask.look_at(scope)
        self._trace.say(f"» {line}")


class _DryRunner:
    def __init__(
        self,
        graph: RunGraph,
        context: WorkerContext,
        trace: Trace,
        mask: RunMasker,
        tools: StartTool | None,
    ) -> None:
        self._graph = graph
        self._context = context
        self._trace = trace
        self._tools = tools
        self._stopped = False
        self._tasks = self._skipped = 0
        self._iterations: dict[str, count[int]] = {}
        self._feeds = Feeds(graph, scope=context.scope, stop=Stop(), counters=Counters())
        self._feeds.tell_secrets(mask.learn)
        log = _TracedLog(mask, trace)
        context.wires.listen(log.write)
        self._services = StepServices(
            log=log,
            stop_phase=self._stop,
            stop_plan=self._stop,
            sharing=Sharing(graph, context.scope, waits=False),
        )

    def close(self) -> None:
        self._feeds.close()

    def _stop(self) -> None:
        self._stopped = True

    def _binder(self, phase: str) -> Binder:
        now_ns = self._context.clock.now_ns()
        recorder = PhaseRecorder(
            phase,
            timeline=once_timeline(phase, now_ns),
            book=SeriesBook(now_ns),
            samples=None,
            origin_ns=now_ns,
            mask=self._services.log.mask.words,
            look_at=self._services.log.mask.look_at,
            seek=self._services.log.mask.seek,
        )
        return Binder(recorder, self._context.wires, self._services, observer=self._trace)

    async def run(self) -> DryRun:
        graph = self._graph
        if failed := await self._block("preflight", Block(graph.preflight)):
            raise CannotRun(f"preflight failed: {failed}", hint="start or repair the target")
        try:
            if failed := await self._block("setup", graph.setup):
                raise CannotRun(f"`setup` failed: {failed}")
            for name in (program.name for program in graph.users):
                phase = next((phase for phase in graph.phases if name in phase.classes), None)
                if phase is not None and not self._stopped:
                    await self._user(name, phase)
            for phase in graph.phases:
                if phase.load.is_foreign and self._tools is not None and not self._stopped:
                    await try_tool(phase, self._tools, self._trace, self._services.log.mask)
        finally:
            await self._block("teardown", graph.teardown)
        trace = self._trace
        return DryRun(self._tasks, trace.requests, trace.failures, self._skipped)

    async def _block(self, name: str, block: Block | None) -> str:
        if block is None or not block.steps:
            return ""
        self._trace.section(name)
        failed = await run_block(name, block, context=self._context, binder=self._binder(name))
        return self._services.log.mask(failed)

    async def _user(self, user_class: str, node: PhaseNode) -> None:
        """Live the life of one user of the class, as in the phase."""
        phase, programs = node.name, self._graph.programs_of(node)
        program = next(item for item in programs if item.name == user_class)
        context = self._context
        rng = user_stream(context.seed, phase, program.name, 0)
        identity: dict[str, object] = {"id": context.next_id(), "class": program.name}
        scope = {
            **context.scope,
            "rand": Rand(rng),
            "user": identity,
            "phase": {"name": phase},
            **node.scope,
        }
        sessions = context.sessions.open()
        actor = Actor(
            clock=context.clock,
            scope=scope,
            sessions=sessions,
            rng=rng,
            counters=context.counters,
            plan=context.scope,
        )
        actor.ends = context.sessions.ends(sessions)
        self._trace.section("user", program.name, phase=phase if node.matrix else "")
        # Classes that follow one another in phases of their own begin at 0, as under load.
        iterations = self._iterations.setdefault(phase, count())
        user = _DryRunUser(program, actor, self._binder(phase), identity, iterations)
        feeds = self._feeds.of(program)
        try:
            if not feeds.start(actor.scope, rng):
                self._trace.say("no row of the data is left", failed="data")
            elif await self._started(user):
                for index, task in enumerate(program.tasks):
                    if feeds.iterate(actor.scope, rng) and not self._stopped:
                        await self._task(user, user.tasks[index], task.name)
                await self._steps(user, "on_stop", program.on_stop)
        finally:
            feeds.end(actor.scope)
            for session in actor.sessions:
                await session.close()

    async def _started(self, user: _DryRunUser) -> bool:
        actor = user.actor
        try:
            for name, evaluate in user.program.state:
                actor.scope[name] = deepcopy(evaluated(actor, evaluate))
        except IterationEnded as ended:
            self._trace.say("state", failed=str(ended))
            return False
        return await self._steps(user, "on_start", user.program.on_start)

    async def _steps(self, user: _DryRunUser, key: str, steps: tuple[StepNode, ...]) -> bool:
        if not steps:
            return True
        self._trace.section(key)
        return await run_once(user.actor, user.binder.steps(steps, StepPlace(user.program.name)))

    async def _task(self, user: _DryRunUser, task: BoundTask, name: str) -> None:
        actor = user.actor
        actor.failure = ""
        actor.scope["iteration"] = next(user.iterations)
        user.identity["iteration"] = user.next_iteration()
        begun = False
        try:
            if task.needs is not None and not evaluated(actor, task.needs.condition):
                self._skipped += 1
                self._trace.section("task", name, f"needs {task.needs.shown}")
                return
            self._tasks += 1
            self._trace.section("task", name)
            begun = True
            await run_steps(actor, task.steps)
        except StepsStopped:
            pass
        except IterationEnded as ended:
            if not begun:
                self._trace.section("task", name)
            is_new = not self._trace.has_counted(ended)
            failed = str(ended) or actor.words if is_new else ""
            self._trace.say("the iteration ends here", failed=failed)
        for forgotten in user.program.iteration_names:
            actor.scope.pop(forgotten, None)
        actor.uncover(user.program.hidden_names)
        for end in actor.ends:
            await end()


class _DryRunUser:
    def __init__(
        self,
        program: UserProgram,
        actor: Actor,
        binder: Binder,
        identity: dict[str, object],
        iterations: count[int],
    ) -> None:
        self.program = program
        self.actor = actor
        self.binder = binder
        self.identity = identity
        self.iterations = iterations
        self.tasks = [binder.task(task, program.name) for task in program.tasks]
        self.next_iteration = count().__next__
