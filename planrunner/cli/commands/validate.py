"""`planrunner validate`: say what is wrong with plans; send nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from planrunner.cli.plan_options import PlanOptions, load_plan, with_plan_options
from planrunner.cli.streams import print_json
from planrunner.compiler import compile_plan
from planrunner.compiler.checked import Checked, Examined, placed
from planrunner.compiler.names.known_names import Known
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import Diagnostic, PlanError, render
from planrunner.language.secrets import Masker
from planrunner.plan.defaults.file import is_defaults
from planrunner.plan.deprecated import deprecated_keys
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.yaml.document import PlanPath
from planrunner.results.exit_codes import ExitCode

__all__ = ["check", "command", "examine"]


@click.command(
    "validate",
    short_help="check plans; send nothing",
    epilog="""\b
Examples:
  planrunner validate plans/stress.yaml
  planrunner validate plans/*.yaml --json
  planrunner validate plan.yaml --set users=500
  planrunner validate plan.yaml --profile soak --env staging --env-file staging.env
  planrunner validate theirs.yaml --no-exec          a plan from a stranger
  planrunner validate warehouse.yaml --online        BigQuery judges the statements
""",
)
@click.argument("plans", nargs=-1, required=True, type=click.Path(path_type=Path))
@with_plan_options
@click.option(
    "--online",
    is_flag=True,
    help="Also ask targets what only they know: gRPC by reflection, BigQuery by a dry run.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="json: one document with every diagnostic and notice, on stdout.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for `--format json`.")
def command(
    plans: Sequence[Path],
    options: PlanOptions,
    online: bool,  # noqa: FBT001 - as click calls it
    output: str,
    as_json: bool,  # noqa: FBT001 - as above
) -> int:
    """Check PLANS and report every fault with file, line and column."""
    is_text = output == "text" and not as_json
    is_valid, found = True, []
    for path in plans:
        checked = check(path, options, online=online)
        is_valid = is_valid and not checked.faults
        found += [
            *(fault.as_json() for fault in checked.faults),
            *(_notice_as_json(path, text, "warning", "deprecated") for text in checked.warnings),
            *(_notice_as_json(path, text) for text in checked.notices),
        ]
        if is_text:
            _print(path, checked.faults, checked.notices, checked.warnings)
    if not is_text:
        print_json(found)
    return ExitCode.OK if is_valid else ExitCode.PLAN_INVALID


def check(
    path: Path, options: PlanOptions, *, online: bool = False, text: str | None = None
) -> Checked:
    """Return what is wrong with a plan or with defaults; nothing of it is run.

    Args:
        path: Its file.
        options: What the command line says about it.
        online: Whether targets are asked too.
        text: What the file would have; None to read it.
    """
    return examine(path, options, online=online, text=text).checked


def examine(
    path: Path,
    options: PlanOptions,
    *,
    online: bool = False,
    text: str | None = None,
) -> Examined:
    """Return the same, and what was made of the plan on the way.

    Args:
        path: Its file.
        options: What the command line says about it.
        online: Whether targets are asked too.
        text: What the file would have; None to read it.
    """
    if is_defaults(path):
        from planrunner.plan.defaults.check import check_defaults  # noqa: PLC0415 - most files are plans

        return Examined(Checked(check_defaults(path, options.sources(), text)))
    known: dict[PlanPath, Known] = {}
    plan: CheckedPlan | None = None
    try:
        plan = load_plan(path, options, need_secrets=False, text=text)
        graph = compile_plan(plan, selection=options.selection, seen=known)
    except PlanError as error:
        return Examined(Checked(error.diagnostics), plan, None, known)
    return Examined(_judged(plan, graph, online=online), plan, graph, known)


def _judged(plan: CheckedPlan, graph: RunGraph, *, online: bool) -> Checked:
    """Return what is wrong with a plan that compiles, or what its runs give notice of."""
    if any(node.url for node in graph.notifications):
        from planrunner.runner.notify.urls import find_url_faults  # noqa: PLC0415 - few plans tell anybody

        if faults := find_url_faults(plan, graph):
            return Checked(faults)
    if online and (told := _told_by_targets(plan, graph)):
        return Checked(told)
    notices = graph.notices
    warnings = [str(key) for key in deprecated_keys(plan.document)]
    return Checked((), [one for one in notices if one not in warnings], warnings)


def _told_by_targets(plan: CheckedPlan, graph: RunGraph) -> Sequence[Diagnostic]:
    """Return what only the targets know to be wrong."""
    import asyncio  # noqa: PLC0415 - else nothing is sent, and no loop needed

    from planrunner.runner.environment import examine_requests  # noqa: PLC0415

    try:
        asyncio.run(examine_requests(graph, plan.document, tries_out=True))
    except PlanError as error:
        return Masker(graph.secrets).diagnostics(error.diagnostics)
    return ()


def _print(
    path: Path, faults: Sequence[Diagnostic], notices: Sequence[str], warnings: Sequence[str]
) -> None:
    if not faults:
        click.echo(f"{path}: valid")
        for warning in warnings:
            click.echo(f"  warning: {warning}")
        for notice in notices:
            click.echo(f"  notice: {notice}")
        return
    for fault in faults:
        click.echo(render(fault), err=True)
        click.echo(err=True)
    click.echo(f"{path}: {len(faults)} error{'s' if len(faults) != 1 else ''}", err=True)


def _notice_as_json(
    path: Path, text: str, severity: str = "notice", code: str = "notice"
) -> dict[str, object]:
    """Return a notice in the form of a diagnostic; one without a place is about the whole plan."""
    notice = placed(text, str(path))
    at = {"line": notice.line, "column": notice.column}
    end = {"end_line": notice.line, "end_column": notice.column}
    words = {"severity": severity, "code": code, "message": notice.message, "hint": ""}
    return {"file": notice.file, **at, **end, **words}
