"""Options that every command with a plan takes, and what they mean for loading it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from planrunner.compiler import RunGraph, compile_plan
from planrunner.compiler.review import review
from planrunner.errors import UsageError
from planrunner.language.diagnostics import PlanError, suggest
from planrunner.plan.loader import Plan, load

__all__ = ["compile_to_run", "load_plan", "new_run_id", "parse_settings", "with_plan_options"]

FORMATS: Final = ("metrics.json", "results.csv", "report.html")

_Command = TypeVar("_Command", bound=Callable[..., Any])


def with_plan_options(command: _Command) -> _Command:
    """Add `--set` and `--env`."""
    command = click.option(
        "--env",
        "environment",
        metavar="NAME",
        help="Take params from this block of the plan's `environments`.",
    )(command)
    return click.option(
        "--set",
        "settings",
        metavar="PARAM=VALUE",
        multiple=True,
        help="Set a param; may be given many times, the last one of a name wins.",
    )(command)


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Return the values of `--set` by name.

    Raises:
        UsageError: One has no `=`.
    """
    values: dict[str, str] = {}
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator or not name:
            raise UsageError(f"`--set {setting}` has no value", hint="write `--set name=value`")
        values[name] = value
    return values


def load_plan(
    path: str, settings: Sequence[str], environment: str | None, *, need_secrets: bool
) -> Plan:
    """Load a plan as the command line asks.

    Raises:
        PlanError: The plan or a value for it is invalid.
        UsageError: An option is malformed.
    """
    environ: Mapping[str, str] = dict(os.environ)
    try:
        return load(
            Path(path),
            overrides=parse_settings(settings),
            environment=environment,
            environ=environ,
            need_secrets=need_secrets,
        )
    except PlanError as error:
        raise PlanError(review(error)) from error


def compile_to_run(
    path: Path,
    settings: Sequence[str],
    environment: str | None,
    *,
    seed: int | None = None,
    formats: str | None = None,
) -> RunGraph:
    """Load and compile a plan that is going to run; `auto` ports are chosen now.

    Raises:
        PlanError: The plan is invalid, or asks for what this version can't run yet.
        UsageError: An option is malformed.
    """
    # A plan that is only checked needs neither servers nor asyncio.
    from planrunner.demo import DEMOS  # noqa: PLC0415
    from planrunner.target import free_port  # noqa: PLC0415

    plan = load_plan(str(path), settings, environment, need_secrets=True)
    ports = {name: free_port() for name in plan.model.services or {}}
    graph = compile_plan(plan, seed=secrets.randbits(32), ports=ports, demos=list(DEMOS))
    if graph.unavailable:
        raise PlanError(graph.unavailable)
    if seed is not None:
        graph = replace(graph, seed=seed, seed_was_drawn=False)
    if formats is not None:
        graph = replace(graph, report=replace(graph.report, formats=_formats(formats)))
    return graph


def _formats(text: str) -> tuple[str, ...]:
    """Return the reports to write; metrics.json is always among them.

    Raises:
        UsageError: One is unknown.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FORMATS:
            hint = suggest(name, FORMATS) or "formats: " + ", ".join(FORMATS)
            raise UsageError(f"no report format `{name}`", hint=hint)
    return tuple(dict.fromkeys(("metrics.json", *names)))


def new_run_id() -> str:
    """Return a short id that no two runs of a directory share in practice."""
    return secrets.token_hex(3)
