"""`planrunner cross-check`: the same load from other tools, and where they measure otherwise."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from planrunner.cli.leaving import Leaving
from planrunner.cli.plan_options import PlanOptions, json_option, with_plan_options
from planrunner.cli.streams import stdout_for_documents
from planrunner.errors import UsageError
from planrunner.results.exit_codes import ExitCode

if TYPE_CHECKING:
    from planrunner.cross_check.result import CrossCheck

__all__ = ["command"]

_ROUNDS: Final = 3


def _split(context: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    del context, param
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _complete_tools(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from planrunner.cross_check.checked_tools import known_names  # noqa: PLC0415 - for completion

    del context, param
    before, comma, begun = incomplete.rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{name}") for name in known_names() if name.startswith(begun)
    ]


@click.command(
    "cross-check",
    short_help="send the same load with other tools, and compare what they measure",
    epilog="""\b
Examples:
  planrunner cross-check http://127.0.0.1:8000/products
  planrunner cross-check http://127.0.0.1:8000/ --with wrk,k6 --users 50 --hold 30s --rounds 5
  planrunner cross-check plan.yaml --phase peak --hold 20s
  planrunner cross-check plan.yaml --with k6 --json --output check.json

\b
Exit codes: 0 all tools that took part were measured, whether or not they differ, 2 the plan or an
option is invalid, 3 planrunner or another tool failed, or there is none to compare with,
130 interrupted.
""",
)
@click.argument("plan", metavar="PLAN|URL")
@click.option(
    "--with",
    "names",
    metavar="TOOL,…",
    default="",
    callback=_split,
    shell_complete=_complete_tools,
    help="The tools, such as `k6,wrk`. Default all that are installed and can give the load.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 100),
    default=_ROUNDS,
    show_default=True,
    metavar="N",
    help="How often each tool runs, in turn with the others; noise is judged from 2 rounds on.",
)
@with_plan_options
@click.option(
    "--allow-loss",
    is_flag=True,
    help="Take tools whose tests lack a part of the plan, and name what is missing.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the scripts, and all that tools print, in this new directory.",
)
@click.option(
    "--only-hosts",
    multiple=True,
    metavar="HOST",
    help="Refuse a plan whose requests go elsewhere: a name such as `*.staging.example`, or "
    "`own` for loopback and private addresses. Repeatable.",
)
@json_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the result to this file instead of stdout.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print no progress.")
@click.pass_context
def command(  # noqa: PLR0913 - its options
    context: click.Context,
    *,
    plan: str,
    names: tuple[str, ...],
    rounds: int,
    options: PlanOptions,
    allow_loss: bool,
    keep: Path | None,
    only_hosts: tuple[str, ...],
    as_json: bool,
    output: Path | None,
    quiet: bool,
) -> int:
    """Send the load of PLAN, or of 10 users for 10 s to URL, with several tools in turn.

    Each tool takes a warm-up, a tenth of the load, and then --rounds times all of it: with 4 tools,
    10 s and 3 rounds that is a little over 2 minutes, which is said at the start.

    One table compares planrunner with the others: requests/s, p50, p95, p99, failures, and what a
    request and its start cost the generator in CPU. Differences beyond the noise between rounds are
    named, with the reason where it is known.
    """
    from planrunner.cli.cross_checks.checking import CheckWish, cross_check  # noqa: PLC0415 - starts much

    for path in (output, keep):
        if path is not None and path.exists():
            raise UsageError(f"`{path}` exists", hint="choose another name")
    leaving = context.find_object(Leaving)
    assert leaving is not None
    wish = CheckWish(plan, names, rounds, allow_loss, keep, only_hosts, quiet, _typed(context))
    found = cross_check(wish, options, leaving)
    _write(found, output, as_json=as_json)
    if found.interrupted:
        return ExitCode.INTERRUPTED
    has_failed = any(one.failed for one in found.tools)
    return ExitCode.CANNOT_RUN if has_failed else ExitCode.OK


def _typed(context: click.Context) -> tuple[str, ...]:
    """Return the options of the plan as they were typed: `execute` takes the same."""
    words: list[str] = []
    fields = PlanOptions.__dataclass_fields__
    for param in context.command.params:
        name = param.name or ""
        if name not in fields or context.get_parameter_source(name) is not (
            ParameterSource.COMMANDLINE
        ):
            continue
        given = context.params[name]
        for value in given if isinstance(given, tuple) else (given,):
            words += [param.opts[0]] if value is True else [f"{param.opts[0]}={value}"]
    return tuple(words)


def _write(found: CrossCheck, output: Path | None, *, as_json: bool) -> None:
    from planrunner.cross_check.result import to_json  # noqa: PLC0415 - as above
    from planrunner.cross_check.view import print_cross_check  # noqa: PLC0415 - draws
    from planrunner.report.terminal.console import open_console  # noqa: PLC0415 - as above

    if as_json:
        text = json.dumps(to_json(found), indent=2, ensure_ascii=False)
        if output is None:
            click.echo(text, file=stdout_for_documents())
        else:
            output.write_text(f"{text}\n", encoding="utf-8")
    elif output is None:
        print_cross_check(found, open_console(sys.stdout))
    else:
        with output.open("w", encoding="utf-8") as file:
            print_cross_check(found, open_console(file))
