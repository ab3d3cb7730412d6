"""Refusing whatever a plan would run on this machine: for plans from strangers (`--no-exec`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planrunner.language.diagnostics import Code, Diagnostic
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.models.steps import StepModel
from planrunner.plan.yaml.document import PlanPath

__all__ = ["find_commands"]


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


def _commands(model: PlanModel) -> Iterator[PlanPath]:
    if model.hooks is not None:
        yield ("hooks",)
    for name, service in (model.services or {}).items():
        if service.run is not None:
            yield ("services", name, "run")
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


def _in_steps(steps: Sequence[StepModel], path: PlanPath) -> Iterator[PlanPath]:
    for index, step in enumerate(steps):
        where = (*path, index)
        if step.action in ("exec", "python"):
            yield (*where, step.action)
        for keys, inner in step.inside():
            yield from _in_steps(inner, (*where, *keys))
