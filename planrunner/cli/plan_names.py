"""Shell completion of what a plan names: its profiles, phases, classes, tasks, params and data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem

from planrunner.compiler import compile_plan
from planrunner.compiler.load.meant_phases import PhaseNames
from planrunner.compiler.load.selection import tags_of
from planrunner.errors import PlanrunnerError
from planrunner.plan.loader import CheckedPlan, load

__all__ = ["complete", "names_in"]

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete(kind: str) -> Complete:
    """Return what completes an option with the names of this kind in the plan of the line."""

    def names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        # Where the line ends in an option without its value, click puts no argument in its place.
        plan = context.params.get("plan")
        files = [*context.args, *([] if plan is None else [plan])]
        profile, defaults = context.params.get("profile"), context.params.get("defaults")
        found: dict[str, None] = {}
        for file in files:
            found.update(dict.fromkeys(names_in(Path(file), kind, profile, defaults)))
        return [CompletionItem(name) for name in found if name.startswith(incomplete)]

    return names


def names_in(
    file: Path, kind: str, profile: str | None = None, defaults: str | None = None
) -> list[str]:
    """Return the names of a kind in a plan, in its order; none of a plan that is invalid."""
    try:
        plan = load(file, environ=dict(os.environ), defaults=defaults)
        return list(dict.fromkeys(_KINDS[kind](plan, profile)))
    except PlanrunnerError:  # a completion has no place for a message
        return []


def _phases(plan: CheckedPlan, profile: str | None) -> Iterable[str]:
    wanted = [profile] if profile else list(plan.model.profile_names()) or [""]
    for name in wanted:
        names = PhaseNames()
        names.add(plan.model.schedule(name or None))
        for base, combinations in names.combinations.items():
            yield base
            yield from combinations


def _tags(plan: CheckedPlan, _: str | None) -> Iterable[str]:
    tasks = (task for user in compile_plan(plan).users for task in user.tasks)
    return sorted({tag for task in tasks for tag in tags_of(task)})


def _tasks(plan: CheckedPlan, _: str | None) -> Iterable[str]:
    users = (plan.model.users or {}).values()
    return (task.name for user in users for task in user.tasks or ())


_KINDS: Final[Mapping[str, Callable[[CheckedPlan, str | None], Iterable[str]]]] = {
    "params": lambda plan, _: (f"{name}=" for name in plan.params),
    "data": lambda plan, _: plan.model.data or {},
    "environments": lambda plan, _: plan.model.environments or {},
    "cases": lambda plan, _: plan.model.cases or {},
    "profiles": lambda plan, _: plan.model.profile_names(),
    "phases": _phases,
    "users": lambda plan, _: plan.model.users or {},
    "tasks": _tasks,
    "tags": _tags,
}
