"""Options that every command with a plan takes, and what they mean for loading it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click

from planrunner.cli.plan_names import complete
from planrunner.compiler.load.selection import PlanSelection
from planrunner.compiler.review import review
from planrunner.errors import Bug, PlanrunnerError, UsageError
from planrunner.formats import REPORT_FORMATS
from planrunner.language.diagnostics import PlanError
from planrunner.language.files import ANYWHERE, Folders
from planrunner.plan.bundle import Bundle
from planrunner.plan.defaults.file import defaults_of
from planrunner.plan.loader import CheckedPlan, load
from planrunner.plan.no_exec import find_commands
from planrunner.plan.overrides import Changes
from planrunner.plan.params.resolve import ParamSources
from planrunner.runner.masked_traceback import masked_traceback
from planrunner.values import dataclass

__all__ = [
    "PlanOptions",
    "complete_formats",
    "complete_outputs",
    "env_file_option",
    "environ_with",
    "json_option",
    "load_plan",
    "parse_formats",
    "parse_labels",
    "with_options",
    "with_plan_options",
]

_FORESEEN: Final = (
    PlanrunnerError,
    click.ClickException,
    click.exceptions.Exit,
    click.Abort,
    BrokenPipeError,
)
"""Ways for a command to end that are no bugs."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the command line says about a plan, as it was typed; the options' names."""

    settings: tuple[str, ...] = ()
    environment: str | None = None
    env_files: tuple[Path, ...] = ()
    profile: str | None = None
    phases: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    user_level: str = ""
    rate: str = ""
    hold: str = ""
    host: str = ""
    spawn_rate: str = ""
    stages: str = ""
    overrides: tuple[str, ...] = ()
    defaults: str | None = None
    no_exec: bool = False
    allow_read: tuple[Path, ...] = ()

    @property
    def selection(self) -> PlanSelection:
        return PlanSelection(
            profile=self.profile,
            phases=self.phases,
            cases=self.cases,
            users=self.users,
            tasks=self.tasks,
            tags=self.tags,
            skip_tags=self.skip_tags,
        )

    @property
    def changes(self) -> Changes:
        return Changes(
            overrides=self.overrides,
            users=self.user_level,
            rate=self.rate,
            hold=self.hold,
            host=self.host,
            spawn_rate=self.spawn_rate,
            stages=self.stages,
            profile=self.profile,
            phases=self.phases,
        )

    def sources(self) -> ParamSources:
        settings = _parse_settings(self.settings)
        return ParamSources(settings, self.environment, self.environ(), changes=self.changes)

    def folders(self, plan: Path) -> Folders:
        """Return where the files that `plan` names may lie.

        Raises:
            UsageError: More is allowed where nothing is forbidden.
        """
        if self.no_exec:
            return Folders.below([plan.parent, *self.allow_read])
        if self.allow_read:
            hint = "add --no-exec: without it, a plan may read any file"
            raise UsageError("--allow-read needs --no-exec", hint=hint)
        return ANYWHERE

    def bundle(self, plan: Path) -> Bundle:
        """Return what `plan` is made of, unread."""
        return Bundle(str(plan), {}, defaults=defaults_of(str(plan), self.defaults))

    def environ(self) -> dict[str, str]:
        """Return the environment variables, as `environ_with`."""
        return environ_with(self.env_files)


def environ_with(files: Sequence[Path]) -> dict[str, str]:
    """Return the environment variables; the process's own win over those of `.env` files.

    Raises:
        UsageError: A file can't be read.
    """
    if not files:
        return dict(os.environ)
    from planrunner.plan.params.env_file import read_env_file  # noqa: PLC0415 - seldom used

    found: dict[str, str] = {}
    for file in files:
        found.update(read_env_file(file))
    return {**found, **os.environ}


env_file_option: Final = click.option(
    "--env-file",
    "env_files",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read environment variables from a `.env` file; those of the process take precedence.",
)

json_option: Final = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document."
)

_OPTIONS: Final = (
    click.option(
        "--set",
        "settings",
        metavar="PARAM=VALUE",
        multiple=True,
        shell_complete=complete("params"),
        help="Set a param. Repeatable; the last value of a name wins.",
    ),
    click.option(
        "--env",
        "environment",
        metavar="NAME",
        shell_complete=complete("environments"),
        help="Take params from this block of the plan's `environments`.",
    ),
    env_file_option,
    click.option(
        "--profile",
        metavar="NAME",
        shell_complete=complete("profiles"),
        help="Run this profile. Default the plan's first.",
    ),
    click.option(
        "--phase",
        "phases",
        metavar="NAME",
        multiple=True,
        shell_complete=complete("phases"),
        help="Run only this phase; of a matrix, all of it or `NAME[axis=value]`. Repeatable, like "
        "the next five options.",
    ),
    click.option(
        "--case",
        "cases",
        metavar="NAME",
        multiple=True,
        shell_complete=complete("cases"),
        help="Of phases whose matrix has cases, run only this one.",
    ),
    click.option(
        "--user",
        "users",
        metavar="CLASS",
        multiple=True,
        shell_complete=complete("users"),
        help="Run only this user class.",
    ),
    click.option(
        "--task",
        "tasks",
        metavar="NAME",
        multiple=True,
        shell_complete=complete("tasks"),
        help="Run only this task.",
    ),
    click.option(
        "--tag",
        "tags",
        metavar="TAG",
        multiple=True,
        shell_complete=complete("tags"),
        help="Run only tasks with this tag: a key, or `key=value`.",
    ),
    click.option(
        "--skip-tag",
        "skip_tags",
        metavar="TAG",
        multiple=True,
        shell_complete=complete("tags"),
        help="Leave out tasks with this tag.",
    ),
    click.option(
        "--users",
        "user_level",
        metavar="N",
        default="",
        help="Run each phase with this many users, at most: classes and stages keep their "
        "proportion.",
    ),
    click.option(
        "--rate",
        metavar="RATE",
        default="",
        help="Run each open phase at this arrival rate, at most, such as `50/s`.",
    ),
    click.option(
        "--hold",
        "--run-time",
        metavar="TIME",
        default="",
        help="Hold each phase's level, or run all of its stages, for this long, such as `30s`.",
    ),
    click.option(
        "--spawn-rate",
        metavar="RATE",
        default="",
        help="Start the users of each phase at this rate, such as `10/s`, in place of its ramp.",
    ),
    click.option(
        "--stages",
        metavar="STAGES",
        default="",
        help="Replace the load of each phase: `2m:200, 5m:200, 2m:0`, or rates, `2m:50/s`.",
    ),
    click.option(
        "--host",
        metavar="URL",
        default="",
        help="Send requests that have only a path to this URL, as `http.base_url` does.",
    ),
    click.option(
        "--override",
        "overrides",
        metavar="PATH=VALUE",
        multiple=True,
        help="Change any value of the plan: `phases.high.hold=5s`.",
    ),
    click.option(
        "--defaults",
        metavar="FILE",
        default=None,
        help="Take what the plan leaves out from this file instead of the `planrunner.yaml` beside "
        "the plan; `none`: from no file.",
    ),
    click.option(
        "--no-exec",
        is_flag=True,
        help="Refuse a plan that runs commands or Python code on this machine, or reads files "
        "outside its folder.",
    ),
    click.option(
        "--allow-read",
        metavar="DIR",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        help="With --no-exec: let the plan read what is below this folder too.",
    ),
)


def with_plan_options(command: Command) -> Command:
    """Add the options of every command with a plan; it gets them as `options`."""

    @wraps(command)
    def guarded(*, options: PlanOptions, **given: Any) -> Any:  # noqa: ANN401 - what click gives and the command returns
        try:
            return command(options=options, **given)
        except _FORESEEN:
            raise
        except Exception as error:
            plans = [options.bundle(path) for path in given.get("plans") or [given["plan"]]]
            raise Bug(masked_traceback(error, plans, options.sources())) from error

    return with_options(cast("Command", guarded), "options", PlanOptions, _OPTIONS)


def with_options(
    command: Command,
    name: str,
    record: type[object],
    options: Sequence[Callable[[Command], Command]],
) -> Command:
    """Add options to a command, which gets the values of all of them as the record `name`."""
    fields: tuple[str, ...] = tuple(record.__dataclass_fields__)  # type: ignore[attr-defined]  # of a dataclass

    @wraps(command)
    def gathered(**given: Any) -> Any:  # noqa: ANN401 - what click gives and the command returns
        values = {field: given.pop(field) for field in fields}
        return command(**{name: record(**values)}, **given)

    decorated: Any = gathered
    for option in reversed(options):
        decorated = option(decorated)
    return cast("Command", decorated)


def _parse_settings(settings: Sequence[str]) -> dict[str, str]:
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
    path: Path,
    options: PlanOptions,
    *,
    need_secrets: bool,
    outputs: tuple[str, ...] = (),
    text: str | None = None,
) -> CheckedPlan:
    """Load a plan as the command line asks.

    Args:
        path: Its file.
        options: Those of every command with a plan.
        need_secrets: Whether a required secret must have a value.
        outputs: Those of `--output`, of a command that runs it.
        text: What the file would have; None to read it.

    Raises:
        PlanError: The plan or a value for it is invalid.
        UsageError: An option is malformed.
    """
    environ: Mapping[str, str] = options.environ()
    try:
        plan = load(
            path,
            overrides=_parse_settings(options.settings),
            environment=options.environment,
            environ=environ,
            need_secrets=need_secrets,
            changes=replace(options.changes, outputs=outputs),
            folders=options.folders(path),
            defaults=options.defaults,
            text=text,
        )
    except PlanError as error:
        raise PlanError(review(error)) from error
    if options.no_exec and (found := find_commands(plan)):
        raise PlanError(found)
    return plan


def parse_labels(texts: Sequence[str]) -> dict[str, str]:
    """Return the values of `--label` by name.

    Raises:
        UsageError: One is no label.
    """
    labels: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip()):
            hint = "write `NAME=VALUE`, such as `--label branch=main`"
            raise UsageError(f"--label: `{text}` is not a label", hint=hint)
        labels[name.strip()] = value
    return labels


def parse_formats(text: str) -> tuple[str, ...]:
    """Return the reports that a list with commas names.

    Raises:
        UsageError: One is unknown.
    """
    from planrunner.runner.report_files import check_formats  # noqa: PLC0415 - for runs and reports

    names = [name.strip() for name in text.split(",") if name.strip()]
    check_formats(names)
    return tuple(dict.fromkeys(names))


def complete_formats(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Complete the last report of a list with commas."""
    before, comma, begun = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in REPORT_FORMATS if name.startswith(begun.strip())]


def complete_outputs(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of an output."""
    from planrunner.plan.output_kinds.registry import all_kinds  # noqa: PLC0415 - for completion

    names = [*(f"{name}=" for name in all_kinds()), "none"]
    return [name for name in names if name.startswith(incomplete)]
