"""`planrunner run`: load for one URL, without a plan."""

from __future__ import annotations

import os
from pathlib import Path

import click

from planrunner.cli.leaving import Leaving
from planrunner.cli.live.page import PageCommand
from planrunner.cli.running import RunOptions, request_of, run_plan, with_run_options
from planrunner.engine.stop import Stop
from planrunner.errors import UsageError
from planrunner.plan.bundle import Bundle
from planrunner.plan.loader import load_bundle
from planrunner.plan.overrides import Changes
from planrunner.plan.params.resolve import ParamSources
from planrunner.plan.schema.quick_plan import PRESETS, QuickLoad, QuickRequest, quick_plan

__all__ = ["command"]

_PRESETS = "\n".join(f"  {name:<11} {words}" for name, words in PRESETS.items())


_SCRIPTS = (".js", ".ts", ".py", ".jmx", ".lua")


@click.command(
    "run",
    cls=PageCommand,
    short_help="load one URL, without a plan",
    epilog=f"""\b
Presets:
{_PRESETS}

\b
Examples:
  planrunner run http://127.0.0.1:8000/products
  planrunner run http://127.0.0.1:8000/products --users 100 --spawn-rate 10/s --hold 60s
  planrunner run http://127.0.0.1:8000/orders --rate 50/s --data '{{"id": 7}}'
  planrunner run http://127.0.0.1:8000/ --preset breakpoint --save plans/limit.yaml
""",
)
@click.argument("url")
@click.option("--users", type=click.IntRange(1), metavar="N", help="How many users. Default 10.")
@click.option("--rate", default="", metavar="RATE", help="Arrivals in place of users: `50/s`.")
@click.option("--hold", "--run-time", default="", metavar="TIME", help="How long. Default 30s.")
@click.option(
    "--spawn-rate", default="", metavar="RATE", help="Start the users one after the other: `10/s`."
)
@click.option("--preset", type=click.Choice(list(PRESETS)), default=None, help="A shape of load.")
@click.option("--method", "-X", default="", help="Default GET, or POST with --data.")
@click.option(
    "--header", "-H", "headers", multiple=True, metavar="NAME:VALUE", help="Repeatable, as in curl."
)
@click.option("--data", "-d", default="", metavar="TEXT", help="The body; JSON if it looks so.")
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the plan to FILE too, to go on from there.",
)
@with_run_options
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 - one parameter for each option
    leaving: Leaving,
    url: str,
    users: int | None,
    rate: str,
    hold: str,
    spawn_rate: str,
    preset: str | None,
    method: str,
    headers: tuple[str, ...],
    data: str,
    save: Path | None,
    wish: RunOptions,
) -> int:
    """Send requests to URL under load; write reports and end with the verdict."""
    _check_is_no_file(url)
    load = QuickLoad(preset or "", users, rate, hold, spawn_rate)
    text = quick_plan(QuickRequest(url, method, headers, data), load)
    if save is not None:
        from planrunner.plan.formatting import format_plan  # noqa: PLC0415 - most runs save no plan

        text = format_plan(text)
        _save(save, text)
    file = str(save or "run.yaml")
    changes = Changes(outputs=wish.all_outputs)
    sources = ParamSources(environ=dict(os.environ), need_secrets=True, changes=changes)
    plan = load_bundle(Bundle(file, {file: text}), sources)
    return run_plan(request_of(plan, wish, Stop()), wish, leaving)


def _check_is_no_file(url: str) -> None:
    """Raise a UsageError for what the command `run` of other tools takes."""
    suffix = "" if "://" in url else Path(url).suffix
    if suffix in (".yaml", ".yml"):
        raise UsageError(f"`{url}` is a plan", hint=f"`planrunner execute {url}` runs it")
    if suffix in _SCRIPTS:
        hint = "`planrunner init` writes a plan to start from; a URL loads that URL"
        raise UsageError(f"`{url}` is a script of another tool", hint=hint)


def _save(path: Path, text: str) -> None:
    if path.exists():
        raise UsageError(f"`{path}` exists", hint="choose another name")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from error
    click.echo(f"wrote {path}", err=True)
