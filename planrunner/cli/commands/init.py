"""`planrunner init`: a commented plan to start from."""

from __future__ import annotations

from pathlib import Path

import click

from planrunner.errors import UsageError
from planrunner.plan.schema.starter import starter_plan

__all__ = ["command"]


@click.command(
    "init",
    short_help="write a commented starter plan",
    epilog="""\b
Examples:
  planrunner init                    write plan.yaml here
  planrunner init plans/checkout.yaml
""",
)
@click.argument("path", type=click.Path(path_type=Path), default="plan.yaml", required=False)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(path: Path, *, force: bool) -> None:
    """Write a commented starter plan to PATH (plan.yaml)."""
    if path.exists() and not force:
        raise UsageError(f"`{path}` exists", hint="choose another name, or add --force")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(starter_plan(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from error
    click.echo(f"wrote {path}")
    click.echo(f"next: planrunner execute {path}")
