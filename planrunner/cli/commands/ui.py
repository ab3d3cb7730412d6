"""`planrunner ui`: the plans of a folder in a browser, to look at, start and compare."""

from __future__ import annotations

import asyncio
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planrunner.cli.leaving import SIGNALS
from planrunner.cli.live.page import address_of, tell_address
from planrunner.cli.plan_options import env_file_option, environ_with, json_option
from planrunner.cli.streams import print_json
from planrunner.cli.until_told import until_told
from planrunner.errors import CannotRun
from planrunner.extras import need
from planrunner.runner.event_loop import run_on_fast_loop
from planrunner.spawn import command_of

if TYPE_CHECKING:
    from planrunner.web.folder.plans import PlansOfFolder
    from planrunner.web.folder.runs import FolderRuns

__all__ = ["command"]


@click.command(
    "ui",
    short_help="plans, runs and history in a browser",
    epilog="""\b
Examples:
  planrunner ui                        the plans of this folder
  planrunner ui plans --open
  planrunner ui plans --env-file staging.env
  planrunner ui theirs --no-exec       plans from strangers

\b
Ctrl-C ends a run that goes on gracefully, and then the server; a second Ctrl-C ends it at once.
""",
)
@click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path()
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    callback=address_of,
    default="127.0.0.1:0",
    help="Where to listen. By default on 127.0.0.1 and a free port.",
)
@click.option("--open", "opens_browser", is_flag=True, help="Open the page in a browser.")
@env_file_option
@click.option(
    "--no-exec",
    is_flag=True,
    help="Refuse plans that run commands or Python code on this machine, or read files outside "
    "their folders.",
)
@json_option
def command(
    folder: Path,
    listen: tuple[str, int],
    *,
    opens_browser: bool,
    env_files: tuple[Path, ...],
    no_exec: bool,
    as_json: bool,
) -> None:
    """Serve a page with the plans of FOLDER: what they would do, runs, history, comparisons."""
    if sys.platform == "win32":
        raise CannotRun("the live page needs Linux or macOS", hint="use `planrunner execute`")
    for package in ("starlette", "uvicorn"):
        need(package, "the live page")
    from planrunner.web.folder.plans import PlansOfFolder  # noqa: PLC0415 - of an extra

    plans = PlansOfFolder(folder, environ_with(env_files), no_exec=no_exec)
    run_on_fast_loop(_serve(plans, listen, opens_browser=opens_browser, as_json=as_json))


async def _serve(
    plans: PlansOfFolder, where: tuple[str, int], *, opens_browser: bool, as_json: bool
) -> None:
    from planrunner.web.folder.past import PastRunsOfFolder  # noqa: PLC0415 - of an extra
    from planrunner.web.folder.routes import FolderRoutes  # noqa: PLC0415 - as above
    from planrunner.web.folder.runs import FolderRuns  # noqa: PLC0415 - as above
    from planrunner.web.server.access import PageAccess  # noqa: PLC0415 - as above
    from planrunner.web.server.application import application  # noqa: PLC0415 - as above
    from planrunner.web.server.serving import bound, serving  # noqa: PLC0415 - as above

    listening = bound(*where)
    access = PageAccess(where[0], listening.getsockname()[1])
    past = PastRunsOfFolder(plans.reports)
    runs = FolderRuns(plans, past, lambda: command_of("planrunner.cli.live.run_main"))
    app = application(access, runs, FolderRoutes(plans, past, runs).routes())
    async with serving(listening, app):
        tell_address("page", access.url, where[0])
        if as_json:
            print_json({"page": access.url})
            sys.stdout.flush()
        if opens_browser:
            await asyncio.to_thread(webbrowser.open, access.ticket())
        await until_told(SIGNALS, until_input_closes=False)
        await _end(runs)


async def _end(runs: FolderRuns) -> None:
    if runs.current is None:
        return
    click.echo("ending the run; press Ctrl-C again to end it at once", err=True)
    ending = asyncio.create_task(runs.close())
    again = asyncio.create_task(until_told(SIGNALS, until_input_closes=False))
    await asyncio.wait((ending, again), return_when=asyncio.FIRST_COMPLETED)
    again.cancel()
    if not ending.done():
        await runs.close(at_once=True)
    await ending
