"""What a plan has names for: its profiles, phases, classes, tasks, params and data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from planrunner.compiler import compile_plan
from planrunner.compiler.load.meant_phases import PhaseNames
from planrunner.compiler.load.selection import tags_of
from planrunner.errors import UsageError
from planrunner.language.diagnostics import PlanError
from planrunner.plan.loader import CheckedPlan

__all__ = ["names_by_kind", "plan_names"]


def plan_names(plan: CheckedPlan, kind: str, profile: str | None = None) -> list[str]:
    """Return the names of a kind, such as `profiles` or `tasks`, in the order of the plan.

    Args:
        plan: Whose names.
        kind: Of names, as the plan calls them.
        profile: The one whose phases are meant; None for those of all.

    Raises:
        PlanError: The plan can't be compiled, which only tags need.
    """
    return list(dict.fromkeys(_KINDS[kind](plan, profile)))


def names_by_kind(plan: CheckedPlan, profile: str | None = None) -> dict[str, list[str]]:
    """Return all names of a plan by their kind; of a kind that can't be told, none."""
    found = dict[str, list[str]]()
    for kind in _KINDS:
        try:
            found[kind] = plan_names(plan, kind, profile)
        except (PlanError, UsageError):  # which a check says
            found[kind] = []
    return found


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
    "params": lambda plan, _: plan.params,
    "data": lambda plan, _: plan.model.data or {},
    "environments": lambda plan, _: plan.model.environments or {},
    "cases": lambda plan, _: plan.model.cases or {},
    "profiles": lambda plan, _: plan.model.profile_names(),
    "phases": _phases,
    "users": lambda plan, _: plan.model.users or {},
    "tasks": _tasks,
    "tags": _tags,
}
