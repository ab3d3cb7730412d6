"""Refusing whatever a plan would run on this machine: for plans from strangers (`--no-exec`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from planrunner.language.diagnostics import Code, Diagnostic
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.models.plan import PlanModel, steps_of
from planrunner.plan.yaml.document import PlanPath
from planrunner.values import dataclass

__all__ = ["PlanCommand", "commands_of", "find_commands"]


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
    for path, phase in _phases(model):
        if phase.tool is not None:
            yield (*path, "tool")


def _phases(model: PlanModel) -> Iterator[tuple[PlanPath, PhaseModel]]:
    """Yield the phases of all profiles."""
    lists: list[tuple[PlanPath, Sequence[PhaseModel]]] = [(("phases",), model.phases or ())]
    lists += [(("profiles", name), phases) for name, phases in (model.profiles or {}).items()]
    for path, phases in lists:
        for index, phase in enumerate(phases):
            yield (*path, index), phase
