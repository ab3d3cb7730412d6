"""`planrunner mcp`: serve an assistant over standard input and output."""

from __future__ import annotations

from pathlib import Path

import click

from planrunner.cli.plan_options import env_file_option
from planrunner.extras import need

__all__ = ["command"]


@click.command(
    "mcp",
    short_help="serve assistants",
    epilog="""\b
Examples:
  planrunner mcp                                     what an assistant's client starts
  planrunner mcp --folder perf
  planrunner mcp --allow-host '*.staging.example'    load that host too
  planrunner mcp --no-ask                            in a sandbox without a person
""",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="Where plans and runs are; nothing outside it is named. Default: the current one.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="HOST",
    help="A host that plans may send requests to, beside loopback and private ones. Repeatable.",
)
@click.option(
    "--allow-exec",
    is_flag=True,
    help="Let plans run commands and Python code on this machine, and read files outside the "
    "folder.",
)
@click.option("--no-ask", is_flag=True, help="Begin a run under load without asking.")
@env_file_option
def command(
    folder: Path,
    hosts: tuple[str, ...],
    *,
    allow_exec: bool,
    no_ask: bool,
    env_files: tuple[Path, ...],
) -> None:
    """Let an assistant check, explain, try, run and compare plans, and import tests.

    A client of the Model Context Protocol starts this command and talks to it over its standard
    input and output. Each tool answers what the command of its name prints with --json. A run under
    load begins only when a person has agreed.
    """
    need("mcp", "`planrunner mcp`")
    from planrunner.mcp.server import make_server  # noqa: PLC0415 - of an extra
    from planrunner.mcp.workplace import Workplace  # noqa: PLC0415 - seldom used

    workplace = Workplace(
        folder.absolute(),
        hosts=("own", *hosts),
        may_execute=allow_exec,
        asks=not no_ask,
        env_files=env_files,
    )
    make_server(workplace).run("stdio")
