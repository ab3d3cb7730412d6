"""`planrunner export`: a plan as another tool's test, with a report of what was lost."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem

from planrunner.cli.plan_options import PlanOptions, load_plan, with_plan_options
from planrunner.cli.streams import stdout_for_bytes
from planrunner.cli.translations.loss_report import (
    exit_code,
    note,
    tell,
    with_loss_options,
    write_text,
)
from planrunner.errors import UsageError
from planrunner.exporters.exporting import Exported, export_plan
from planrunner.exporters.registry import BUILT_IN, all_exporters, named_exporter

__all__ = ["command"]

_STDOUT: Final = Path("-")


def _complete_tools(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    del context, param
    return [
        CompletionItem(name, help=one.title)
        for name, one in all_exporters().items()
        if name.startswith(incomplete)
    ]


@click.command(
    "export",
    short_help="make another tool's test of a plan",
    epilog="""\b
Examples:
  planrunner export plan.yaml --to k6 --output load.js
  planrunner export plan.yaml --to curl
  planrunner export plan.yaml --to k6 --phase peak --report losses.txt
  planrunner export plan.yaml --to k6 --json --report losses.json --allow-loss

\b
Exit codes: 0 nothing lost, 1 something changed in meaning or was left out
(0 with --allow-loss), 2 the plan is invalid.
""",
)
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "tool",
    metavar="TOOL",
    required=True,
    shell_complete=_complete_tools,
    help="The tool: " + ", ".join(BUILT_IN) + ", or one that a package brings.",
)
@with_plan_options
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=_STDOUT,
    help="The script to write; default `-`, stdout.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing script.")
@with_loss_options
def command(  # noqa: PLR0913 - its options
    *,
    plan: Path,
    tool: str,
    options: PlanOptions,
    output: Path,
    force: bool,
    report: Path | None,
    as_document: bool,
    allow_loss: bool,
) -> int:
    """Make another tool's test of PLAN, and say what was lost; sends nothing.

    No secret is written: the script takes them from environment variables.
    """
    exporter = named_exporter(tool)
    if output != _STDOUT and output.exists() and not force:
        raise UsageError(f"`{output}` exists", hint="choose another name, or add --force")
    exported = export_plan(
        load_plan(plan, options, need_secrets=False),
        exporter,
        selection=options.selection,
        folder=plan.parent if output == _STDOUT else output.parent,
    )
    if written := _write(exported, output):
        note(written, report, as_document=as_document)
    tell(exported.ledger, report, as_document=as_document)
    return exit_code(exported.ledger, allow_loss=allow_loss)


def _write(exported: Exported, output: Path) -> str:
    """Write a test; returns what to say about its file."""
    if output == _STDOUT:
        stdout_for_bytes().write(exported.test.text.encode())
        return ""
    write_text(output, exported.test.text)
    file = shlex.quote(str(output))
    runs = (f"`{one.replace('FILE', file)}`" for one in exported.test.commands)
    how = f"; run it with {', then '.join(runs)}" if exported.test.commands else ""
    return f"wrote {output}{how}"
