"""User classes: their tasks and steps, and which names live how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import chain

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.never_met import TaskNames, never_met, written_by
from planrunner.compiler.names.references import references_in
from planrunner.compiler.settings_block import SettingsBlocks, of_http
from planrunner.compiler.steps.connections import kept_by
from planrunner.compiler.steps.tags import static_tags
from planrunner.compiler.steps.walk import REPLY_NAMES
from planrunner.compiler.steps.walk_steps import Flow, OpenFlow
from planrunner.graph.run_graph import (
    Evaluate,
    Needs,
    OnError,
    OnFail,
    SessionLife,
    StepNode,
    TaskPick,
    TaskProgram,
    UserProgram,
)
from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.expression import RESERVED
from planrunner.metrics.series import merge_tags
from planrunner.plan.models.steps import BlockModel
from planrunner.plan.models.users import NeedsModel, TaskModel, UserModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols import registry

__all__ = ["check_following", "check_substitutes", "compile_needs", "compile_users"]


def compile_users(
    work: Compilation,
    models: Mapping[str, UserModel],
    known: Known,
    open_flow: OpenFlow,
    blocks: SettingsBlocks,
) -> tuple[UserProgram, ...]:
    """Compile every user class, in file order."""
    return tuple(
        _Class(work, model, ("users", name), known, open_flow, blocks).compile(name)
        for name, model in models.items()
    )


class _Class:
    def __init__(
        self,
        work: Compilation,
        model: UserModel,
        path: PlanPath,
        known: Known,
        open_flow: OpenFlow,
        blocks: SettingsBlocks,
    ) -> None:
        self._work = work
        self._model = model
        self._path = path
        self._known = replace(known, has_user=True)
        self._open_flow = open_flow
        self._blocks = blocks.within(model.protocols, path, model.tags)
        self._named: list[TaskNames] = []
        for name in model.protocols or ():
            self._blocks.of(registry.named(name))

    def compile(self, name: str) -> UserProgram:
        """Walk on_start first: what it sets is known in every task, and in on_stop."""
        model, work, path = self._model, self._work, self._path
        shared = self._known.shared
        state = self._state()
        on_start, lasting = self._block(model.on_start, "on_start")
        self._known = self._known.having(lasting)
        written: set[str] = set()
        tasks = self._tasks(written)
        self._known = replace(self._known, after_iterations=True)
        on_stop, left = self._block(model.on_stop, "on_stop")
        self._check_needs(name, state, written_by((*on_start, *on_stop), lasting | left))
        lasting_names = {name for name, _ in state} | lasting
        return UserProgram(
            name=name,
            weight=work.settle(model.weight, (*path, "weight"), 1),
            count=None if model.count is None else work.settle(model.count, (*path, "count"), 1),
            wait=None if model.wait is None else work.pause(model.wait, (*path, "wait")),
            tasks=tasks,
            pick=TaskPick(model.pick),
            on_start=on_start,
            on_stop=on_stop,
            on_start_fail=_on_fail(model.on_start),
            on_stop_fail=_on_fail(model.on_stop),
            state=state,
            iteration_names=tuple(sorted(written - lasting_names)),
            uses_iteration=self._uses_iteration(),
            pace_ns=work.settle(model.pace, (*path, "pace"), 0),
            session=self._session(),
            start_names=tuple(sorted(lasting)),
            hidden_names=tuple(sorted(shared & (written | lasting))),
        )

    def _session(self) -> SessionLife | None:
        word = self._model.session or self._blocks.session()
        return SessionLife(word) if word else None

    def _state(self) -> tuple[tuple[str, Evaluate], ...]:
        values: list[tuple[str, Evaluate]] = []
        for name, value in (self._model.state or {}).items():
            where = (*self._path, "state", name)
            known = self._known
            if name in RESERVED or name in {*known.params, *known.columns}:
                self._work.fault(
                    where,
                    Code.RESERVED_NAME if name in RESERVED else Code.DUPLICATE_NAME,
                    f"`{name}` is taken",
                    hint="choose another name for the state",
                    part="key",
                )
            values.append((name, self._work.value(value, where, self._known).evaluate))
        names = {name for name, _ in values}
        self._known = self._known.having(names)
        return tuple(values)

    def _block(
        self, block: BlockModel | None, key: str
    ) -> tuple[tuple[StepNode, ...], frozenset[str]]:
        """Compile on_start or on_stop; returns its steps and the names that they set."""
        if block is None:
            return (), frozenset()
        path = (*self._path, key)
        flow = self._flow(self._known)
        flow.measured = self._work.settle(block.measure, (*path, "measure"), default=False)
        steps = flow.steps(block.do, (*path, "do"))
        self._known = replace(self._known, connections=flow.known.connections)
        return steps, frozenset(flow.written)

    def _tasks(self, written: set[str]) -> tuple[TaskProgram, ...]:
        own_tags = static_tags(self._work, self._model.tags, (*self._path, "tags"))
        self._keep_connections()
        in_iteration = replace(self._known, in_iteration=True)
        if self._model.steps is not None:
            flow = self._flow(in_iteration)
            steps = flow.steps(self._model.steps, (*self._path, "steps"))
            written |= _forgotten(flow)
            on_error = OnError(self._model.on_error or OnError.CONTINUE)
            return (TaskProgram("", 1, steps, own_tags, on_error=on_error),)
        tasks = []
        names: dict[str, int] = {}
        for index, task in enumerate(self._model.tasks or ()):
            path = (*self._path, "tasks", index)
            if task.name in names:
                self._work.fault(
                    path,
                    Code.DUPLICATE_NAME,
                    f"two tasks are called `{task.name}`",
                    hint="give one of them another name with `task:` or `name:`",
                )
            names[task.name] = index
            flow = self._flow(in_iteration)
            flow.blocks = self._blocks.within(of_http(task.http), path, task.tags)
            tasks.append(self._task(task, path, flow, own_tags))
            condition = None
            if task.needs is not None and (needs := tasks[-1].needs) is not None:
                condition = task.needs.is_, needs.condition
            self._named.append(TaskNames(condition, written_by(tasks[-1].steps, flow.written)))
            written |= _forgotten(flow)
        check_substitutes(self._work, tasks, (*self._path, "tasks"))
        check_following(self._work, tasks, (*self._path, "tasks"))
        return tuple(tasks)

    def _keep_connections(self) -> None:
        """Let all tasks know of what one of them opens for the others, and `on_stop` too."""
        model, known = self._model, self._known
        steps = [*(model.steps or ()), *(step for task in model.tasks or () for step in task.steps)]
        kept = kept_by(steps, self._flow(known).flows.models)
        self._known = replace(known, connections=known.connections | kept)

    def _task(
        self, task: TaskModel, path: PlanPath, flow: Flow, own_tags: tuple[tuple[str, str], ...]
    ) -> TaskProgram:
        work = self._work
        needs = compile_needs(work, task.needs, (*path, "needs"), flow.known)
        tags = static_tags(work, task.tags, (*path, "tags"))
        return TaskProgram(
            name=task.name,
            weight=work.settle(task.weight, (*path, "weight"), 1),
            steps=flow.steps(task.steps, (*path, "steps")),
            tags=merge_tags(own_tags, tags),
            needs=needs,
            timeout_ns=work.settle(task.timeout, (*path, "timeout"), 0),
            on_error=OnError(task.on_error or self._model.on_error or OnError.CONTINUE),
            following=tuple(
                (name, work.settle(weight, (*path, "next", name), 1))
                for name, weight in (task.next or {}).items()
            ),
            place=work.place(path),
        )

    def _flow(self, known: Known) -> Flow:
        flow = self._open_flow(known)
        flow.blocks = self._blocks
        return flow

    def _check_needs(
        self, user: str, state: tuple[tuple[str, Evaluate], ...], elsewhere: AbstractSet[str]
    ) -> None:
        """Note the tasks that no user will ever run, as far as the plan makes that certain."""
        given = self._model.state or {}
        written = {name: evaluate({}) for name, evaluate in state if not references_in(given[name])}
        for index, names in never_met(written, self._named, elsewhere):
            path = (*self._path, "tasks", index, "needs", "is")
            task = (self._model.tasks or [])[index].name
            stay = ", ".join(f"`{name}`" for name in names)
            kept = "keep their first values" if len(names) > 1 else "keeps its first value"
            message = (
                f"`{task}` can never run: {stay} {kept}, as nothing that `{user}` does before "
                "sets another"
            )
            hint = (
                f"let a task that can run `set` it, or give {stay} another first value in `state`"
            )
            self._work.fault(path, Code.NEVER_RUNS, message, hint=hint)

    def _uses_iteration(self) -> bool:
        flows = self._open_flow(self._known).flows.models
        reads = chain(references_in(self._model), references_in(flows), self._blocks.reads())
        return bool(self._open_flow(self._known).functions) or any(
            reference.root == "iteration"
            or (reference.root == "user" and reference.path[:1] in ((), ("iteration",)))
            for _, reference in reads
        )


def _forgotten(flow: Flow) -> set[str]:
    """Return the names that a task leaves behind and the next iteration must not find."""
    return flow.written | flow.given | (REPLY_NAMES if flow.publishes else frozenset())


def _on_fail(block: BlockModel | None) -> OnFail:
    return OnFail(block.on_fail or "stop_user") if block is not None else OnFail.STOP_USER


_WORDS = ("skip", "repick")


def compile_needs(
    work: Compilation, model: NeedsModel | None, path: PlanPath, known: Known
) -> Needs | None:
    if model is None:
        return None
    condition = work.expression(model.is_, (*path, "is"), known)
    return Needs(condition.evaluate, model.is_.source, model.else_)


def check_substitutes(work: Compilation, tasks: Sequence[TaskProgram], path: PlanPath) -> None:
    """Check that every task named by a `needs` exists, and that none waits for itself.

    `path` is that of the list of tasks.
    """
    substitutes = {task.name: _substitute(task) for task in tasks}
    names = list(substitutes)
    for index, task in enumerate(tasks):
        where = (*path, index, "needs", "else")
        name = substitutes[task.name]
        if name and name not in substitutes:
            hint = suggest(name, (*names, *_WORDS)) or "`skip`, `repick` or a task of this class"
            work.fault(where, Code.UNKNOWN_NAME, f"unknown task `{name}`", hint=hint)
        elif task.name in (chain := _chain(task.name, substitutes)):
            cycle = " → ".join((task.name, *chain))
            message = f"tasks replace each other in a circle: {cycle}"
            work.fault(where, Code.REFERENCE_CYCLE, message)


def check_following(work: Compilation, tasks: Sequence[TaskProgram], path: PlanPath) -> None:
    """Check that every task named by a `next` exists; `path` is that of the list of tasks."""
    names = [task.name for task in tasks]
    for index, task in enumerate(tasks):
        for name, _ in task.following:
            if name not in names:
                where = (*path, index, "next", name)
                hint = suggest(name, names) or "tasks of this class: " + ", ".join(names)
                message = f"unknown task `{name}`"
                work.fault(where, Code.UNKNOWN_NAME, message, hint=hint, part="key")


def _substitute(task: TaskProgram) -> str:
    needs = task.needs
    return "" if needs is None or needs.otherwise in _WORDS else needs.otherwise


def _chain(name: str, substitutes: dict[str, str]) -> list[str]:
    """Return the tasks that may run in the place of `name`, one for the other."""
    chain: list[str] = []
    while (name := substitutes.get(name, "")) and name not in chain:
        chain.append(name)
    return chain
