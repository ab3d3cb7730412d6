"""Options that every command with a plan takes, and what they mean for loading it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from planrunner.errors import UsageError
from planrunner.plan.loader import Plan, load

__all__ = ["load_plan", "new_run_id", "parse_settings", "with_plan_options"]

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
    return load(
        Path(path),
        overrides=parse_settings(settings),
        environment=environment,
        environ=environ,
        need_secrets=need_secrets,
    )


def new_run_id() -> str:
    """Return a short id that no two runs of a directory share in practice."""
    return secrets.token_hex(3)
