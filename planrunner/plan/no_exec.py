"""Refusing whatever a plan would run on this machine: for plans from strangers (`--no-exec`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from planrunner.language.diagnostics import Code, Diagnostic
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.models.steps import StepModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.values import dataclass

__all__ = ["PlanCommand", "commands_of", "find_commands", "steps_of"]


@dataclass(frozen=True, slots=True)
class PlanCommand:
    """Something that a plan would run on this machine.

    Attributes:
        what: Where the plan says so: `services.api.run`.
        command: As it is written.
        place: File, line and column.
    """

    what: str
    command: str
    place: str


def find_commands(plan: CheckedPlan) -> list[Diagnostic]:
    """Return a finding for each command and Python function that the plan would run."""
    return [
        plan.document.diagnostic(
            plan.document.nearest(path),
            Code.NOT_ALLOWED,
            f"`{path[-1]}` is refused: with --no-exec, a plan can't run anything on this machine",
            hint="read what it would run; if you trust the plan, leave out --no-exec",
            part="key",
        )
        for path in _commands(plan.model)
    ]


def commands_of(plan: CheckedPlan) -> list[PlanCommand]:
    """Return each command and Python function that the plan would run, as it is written."""
    return [
        PlanCommand(
            ".".join(map(str, path)),
            _text(_value(plan.document.data, path)),
            str(plan.document.span(plan.document.nearest(path))),
        )
        for path in _commands(plan.model)
    ]


def _value(data: object, path: PlanPath) -> object:
    """Return what the plan says at a path; nothing where short forms say it elsewhere."""
    for part in path:
        if isinstance(part, int):
            found = data[part] if isinstance(data, list) and part < len(data) else data
        else:
            found = data.get(part, data) if isinstance(data, Mapping) else data
        data = found
    return data


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _commands(model: PlanModel) -> Iterator[PlanPath]:
    if model.hooks is not None:
        yield ("hooks",)
    for name, service in (model.services or {}).items():
        if service.run is not None:
            yield ("services", name, "run")
    for path, step in steps_of(model):
        if step.action in ("exec", "python"):
            yield (*path, step.action)


def steps_of(model: PlanModel) -> Iterator[tuple[PlanPath, StepModel]]:
    """Yield every step of a plan with its place, those inside other steps too."""
    for path, steps in _lists(model):
        yield from _in_steps(steps, path)


def _lists(model: PlanModel) -> Iterator[tuple[PlanPath, Sequence[StepModel]]]:
    """Yield every list of steps, those inside steps excepted."""
    for key, block in (("setup", model.setup), ("teardown", model.teardown)):
        if block is not None:
            yield (key, "do"), block.do
    for name, flow in (model.flows or {}).items():
        yield ("flows", name, "do"), flow.do
    for name, user in (model.users or {}).items():
        path: PlanPath = ("users", name)
        for key, block in (("on_start", user.on_start), ("on_stop", user.on_stop)):
            if block is not None:
                yield (*path, key, "do"), block.do
        yield (*path, "steps"), user.steps or ()
        for index, task in enumerate(user.tasks or ()):
            yield (*path, "tasks", index, "steps"), task.steps


def _in_steps(steps: Sequence[StepModel], path: PlanPath) -> Iterator[tuple[PlanPath, StepModel]]:
    for index, step in enumerate(steps):
        where = (*path, index)
        yield where, step
        for keys, inner in step.inside():
            yield from _in_steps(inner, (*where, *keys))
