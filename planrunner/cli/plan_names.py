"""Shell completion of what a plan names: its profiles, phases, classes, tasks, params and data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click

from planrunner.errors import PlanrunnerError
from planrunner.explain.plan_names import plan_names
from planrunner.plan.loader import load

__all__ = ["complete", "names_in"]

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def complete(kind: str) -> Complete:
    """Return what completes an option with the names of this kind in the plan of the line."""

    def names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        # Where the line ends in an option without its value, click puts no argument in its place.
        plan = context.params.get("plan")
        files = [*context.args, *([] if plan is None else [plan])]
        profile, defaults = context.params.get("profile"), context.params.get("defaults")
        found: dict[str, None] = {}
        for file in files:
            found.update(dict.fromkeys(names_in(Path(file), kind, profile, defaults)))
        return [name for name in found if name.startswith(incomplete)]

    return names


def names_in(
    file: Path, kind: str, profile: str | None = None, defaults: str | None = None
) -> list[str]:
    """Return the names of a kind in a plan, in its order; none of a plan that is invalid."""
    try:
        plan = load(file, environ=dict(os.environ), defaults=defaults)
        names = plan_names(plan, kind, profile)
        return [f"{name}=" for name in names] if kind == "params" else names
    except PlanrunnerError:  # a completion has no place for a message
        return []
