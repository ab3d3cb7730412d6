"""`planrunner tools`: which other load tools this machine has."""

from __future__ import annotations

from collections.abc import Iterator

import click

from planrunner.cli.plan_options import json_option
from planrunner.cli.streams import print_json
from planrunner.tools.installed import InstalledTool, installed
from planrunner.tools.registry import all_tools

__all__ = ["command"]


@click.command(
    "tools",
    short_help="list the load tools that plans can run, and which are installed",
    epilog="""\b
Examples:
  planrunner tools
  planrunner tools --json
""",
)
@json_option
def command(as_json: bool) -> None:  # noqa: FBT001 - click's way
    """List the load tools that a phase can run with `tool: NAME`.

    Of each it says whether it is installed, in which version, what of its samples comes into
    results and what does not, and how to get it. `planrunner cross-check` sends one load with
    several of them, to compare.
    """
    found = [installed(tool) for tool in all_tools().values()]
    if as_json:
        print_json([_facts(one) for one in found])
        return
    for one in found:
        click.echo("\n".join(_lines(one)))
    click.echo("`planrunner cross-check` sends the same load with several of them")


def _facts(one: InstalledTool) -> dict[str, object]:
    tool = one.tool
    return {
        "name": tool.name,
        "installed": bool(one.program),
        "version": one.version or None,
        "program": one.program or None,
        "script": tool.script or None,
        "needs_script": tool.needs_script,
        "delivers": tool.delivers,
        "lacks": tool.lacks,
        "once": tool.once or None,
        "install": tool.install,
    }


def _lines(one: InstalledTool) -> Iterator[str]:
    tool = one.tool
    if one.program:
        yield f"{tool.name} {one.version or '(of unknown version)'}: {one.program}"
    else:
        yield f"{tool.name}: not installed; {tool.how_to_get}"
    yield f"  delivers: {tool.delivers}"
    yield f"  not: {tool.lacks}"
