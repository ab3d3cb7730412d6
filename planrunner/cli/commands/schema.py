"""`planrunner schema`: the JSON Schemas, and the reference pages made from the same sources."""

from __future__ import annotations

import json
from pathlib import Path

import click

from planrunner.cli.stdout import stdout_for_documents
from planrunner.results.files.metrics_json import metrics_schema

__all__ = ["command"]


@click.command(
    "schema",
    short_help="print the JSON Schema of plans",
    epilog="""\b
Examples:
  planrunner schema > plan.schema.json          for editors: the schema of plans
  planrunner schema metrics                     the schema of metrics.json
  planrunner schema --output schema/plan.schema.json
""",
)
@click.argument(
    "which",
    type=click.Choice(["plan", "metrics", "reference", "cli"]),
    default="plan",
    required=False,
)
@click.option("--output", type=click.Path(path_type=Path), help="Write to a file, not stdout.")
def command(which: str, output: Path | None) -> None:
    """Print a schema: of plans, or of metrics.json.

    `reference` and `cli` print the reference pages of the plan language and the command line.
    """
    text = _text(which)
    if output is None:
        click.echo(text, file=stdout_for_documents(), nl=False)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")


def _text(which: str) -> str:
    match which:
        case "metrics":
            return json.dumps(metrics_schema(), indent=2, ensure_ascii=False) + "\n"
        case "reference":
            from planrunner.plan.schema.reference_docs import reference_page  # noqa: PLC0415 - rarely

            return reference_page()
        case "cli":
            from planrunner.cli.group import cli  # noqa: PLC0415 - the group imports this module
            from planrunner.cli.reference import cli_page  # noqa: PLC0415 - rarely

            return cli_page(cli)
        case _:
            from planrunner.plan.schema.json_schema import plan_schema  # noqa: PLC0415 - slow to import

            return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"
