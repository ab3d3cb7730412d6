"""The command group: subcommands are imported when they are called."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from keyword import iskeyword

import click

from planrunner import __version__
from planrunner.cli import words_elsewhere
from planrunner.cli.leaving import Leaving
from planrunner.cli.streams import never_refuse
from planrunner.errors import (
    Bug,
    Interrupted,
    PlanrunnerError,
)
from planrunner.language import deprecations
from planrunner.language.diagnostics import PlanError, render, visible
from planrunner.results.exit_codes import ExitCode, code_of_error

__all__ = ["cli", "run"]

# name → (module, one line for the menu); a module is imported only when its command runs.
_COMMANDS = {
    "run": "load one URL, without a plan",
    "execute": "validate, compile and run a plan; write reports and a verdict",
    "report": "make the reports of a run again, in any format",
    "cluster": "look at a cluster before it sends load",
    "compare": "report what changed between two runs, and whether it is noise",
    "baseline": "choose the run that thresholds compare with",
    "history": "show the trend of the last runs",
    "clean": "remove old runs, but no baseline",
    "validate": "check plans and report faults, with file, line and column",
    "fmt": "write plans in one style",
    "lsp": "serve editors: check plans while they are typed",
    "mcp": "serve assistants: let them check, try, run and compare plans",
    "explain": "explain in words what a plan would do; send nothing",
    "ui": "show the plans of a folder in a browser: run, watch, compare",
    "data": "write the rows of a plan's data source to a file",
    "import": "make a plan of another tool's test, and say what was lost",
    "export": "make another tool's test of a plan, and say what was lost",
    "init": "write a commented starter plan",
    "monitoring": "write a Grafana dashboard and alerts of Prometheus",
    "cross-check": "send the same load with other tools, and compare what they measure",
    "tools": "list the load tools that plans can run, and which are installed",
    "schema": "print the JSON Schema that lets editors complete plans",
    "doctor": "measure what this machine can generate, and check its limits",
    "demo": "serve an embedded demo target on loopback",
    "completion": "print the shell completion script",
}

_EPILOG = """\b
Examples:
  planrunner run http://127.0.0.1:8000/ --users 50 --hold 60s
  planrunner init                          write plan.yaml to start from
  planrunner validate plans/*.yaml         check, send nothing
  planrunner explain plans/stress.yaml     what would it do?
  planrunner execute plans/stress.yaml     run it and exit with the verdict
  planrunner execute plans/stress.yaml --set users=50

\b
Exit codes: 0 pass, 1 a threshold failed, 2 plan or usage invalid,
3 could not run, 4 aborted by a threshold, 5 run not valid (--strict),
70 internal error, 130 interrupted.
"""


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command: click.Command = importlib.import_module(
            f"planrunner.cli.commands.{module}"
        ).command
        if cmd_name not in ("execute", "run"):  # which begin nothing before their event loop runs
            leaving = ctx.find_object(Leaving)
            if leaving is not None:
                leaving.raise_from_now_on()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx  # the menu needs no subcommand imported
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from planrunner.language.diagnostics import suggest  # noqa: PLC0415 - error path only

            elsewhere = words_elsewhere.COMMANDS.get(args[0]) if args else None
            hint = f"here it is called `{elsewhere}`" if elsewhere else ""
            hint = hint or (suggest(args[0], list(_COMMANDS)) if args else "")
            message = error.message.rstrip(".") + (f": {hint}" if hint else "")
            raise click.UsageError(message, ctx) from error


@click.group(
    cls=_LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, "-V", "--version", message="planrunner %(version)s")
def cli() -> None:
    """Performance tests as YAML plans: users, tasks, load and thresholds, checked and run."""


def run(arguments: Sequence[str], leaving: Leaving | None = None) -> int:
    """Run one command line and return the process's exit code; prints errors to stderr.

    Args:
        arguments: Without the program's name.
        leaving: What listens to the signals of the process; None when they are the caller's.
    """
    never_refuse()
    for one in deprecations.options_in(arguments, deprecations.OPTIONS):
        click.echo(f"warning: {one}", err=True)
    try:
        result = cli.main(
            list(arguments),
            prog_name="planrunner",
            standalone_mode=False,
            obj=leaving or Leaving(),
        )
    except SystemExit as ended:  # click's way out when a shell has asked for completions
        return ended.code if isinstance(ended.code, int) else ExitCode.OK
    except BaseException as error:  # noqa: BLE001 - every way a command can end becomes a code
        return _ending(_in_our_words(error))
    return int(result) if isinstance(result, int) else ExitCode.OK


def _in_our_words(error: BaseException) -> BaseException:
    """Return the error with what another tool's option, or that of another command, is here."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return error
    given, of_command = error.option_name, error.ctx.command
    name, said = words_elsewhere.OPTIONS.get(given, ""), error.message.rstrip(".")
    words, is_here = words_elsewhere.OTHERWISE.get(given, ""), _has_option(of_command, name)
    if words and (not is_here or _has_option(of_command, "--formats")):
        said = f"{said}: {words}."
    elif is_here:
        said = f"{said}: here it is called `{name}`."
    elif _has_option(cli.get_command(error.ctx, "execute"), name or given):
        said = f"{said}: `planrunner execute` has `{name or given}`, for a plan."
    else:
        return error
    return click.NoSuchOption(given, said, ctx=error.ctx)


def _has_option(command: click.Command | None, name: str) -> bool:
    return bool(name and command) and name in _options_of(command)


def _options_of(command: click.Command | None) -> frozenset[str]:
    params = command.params if command else ()
    return frozenset(word for param in params for word in param.opts)


def _ending(error: BaseException) -> int:
    """Say what ended the command, and return the exit code for it."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.ClickException():
            error.show()
            return ExitCode.PLAN_INVALID
        case click.Abort() | KeyboardInterrupt() | Interrupted():
            click.echo("interrupted", err=True)
            return ExitCode.INTERRUPTED
        case PlanrunnerError():
            report_error(error)
            return code_of_error(error)
        case _ if not isinstance(error, Exception):  # a step that hung was cut
            click.echo("interrupted", err=True)
            return ExitCode.INTERRUPTED
        case _:
            click.echo(_traceback(error), err=True, nl=False)
            click.echo("this is a bug in planrunner; please report it with the plan", err=True)
            return ExitCode.INTERNAL_ERROR


def _traceback(error: BaseException) -> str:
    if isinstance(error, Bug):  # so a command with a plan ends
        return str(error)
    import traceback  # noqa: PLC0415 - seldom needed

    return "".join(traceback.format_exception(error))


def report_error(error: PlanrunnerError) -> None:
    """Print an error to stderr: every diagnostic of a plan, or the one sentence and its hint."""
    if isinstance(error, PlanError):
        for diagnostic in error.diagnostics:
            click.echo(render(diagnostic), err=True)
            click.echo(err=True)
        click.echo(error.message, err=True)
        return
    said = [f"error: {error.message}", *([f"hint: {error.hint}"] if error.hint else [])]
    said += [f"notice: {note}" for note in getattr(error, "__notes__", ())]
    for line in "\n".join(said).split("\n"):  # what a file quotes must not act on the terminal
        click.echo("\t".join(map(visible, line.split("\t"))), err=True)
