"""`planrunner lsp`: serve an editor over standard input and output, or over TCP."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from planrunner.cli.commands.validate import examine
from planrunner.cli.live.page import address_of
from planrunner.cli.plan_options import PlanOptions, env_file_option
from planrunner.errors import UsageError
from planrunner.extras import need
from planrunner.runner.reach import is_loopback

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

    from planrunner.compiler.checked import Examined

__all__ = ["command"]


@click.command(
    "lsp",
    short_help="serve editors",
    epilog="""\b
Examples:
  planrunner lsp                             what an editor starts
  planrunner lsp --no-exec                   plans from strangers
  planrunner lsp --listen 127.0.0.1:2087     for an editor that connects
""",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    callback=address_of,
    default=None,
    help="Wait for an editor at an address of this machine, in place of standard input and output.",
)
@env_file_option
@click.option(
    "--no-exec",
    is_flag=True,
    help="Report whatever runs commands or Python code on this machine, or reads files outside "
    "its folder.",
)
def command(listen: tuple[str, int] | None, *, env_files: tuple[Path, ...], no_exec: bool) -> None:
    """Check plans while they are typed, as the validate command does; format and outline them.

    Editors start this command and talk to it over its standard input and output. Nothing of a
    plan is ever run.
    """
    if listen is not None and not (is_loopback(listen[0]) and listen[1]):
        raise UsageError(
            "`--listen` takes a port of this machine only: whatever connects can read its files",
            hint="write `--listen 127.0.0.1:2087`",
        )
    gc.disable()  # until what the server needs has been made
    for package in ("pygls", "lsprotocol"):
        need(package, "`planrunner lsp`")
    from planrunner.lsp.server import make_server, serve_connections  # noqa: PLC0415 - of an extra

    options = PlanOptions(env_files=env_files, no_exec=no_exec)

    def check_text(path: Path, text: str) -> Examined:
        return examine(path, options, text=text)

    def make() -> LanguageServer:
        return make_server(check_text, _look_past_what_lives_long)

    for noisy in ("pygls", "asyncio"):  # the end of a connection is no error
        logging.getLogger(noisy).setLevel(logging.CRITICAL + 1)
    if listen is None:
        make().start_io()
    else:
        click.echo(f"listening on {listen[0]}:{listen[1]}", err=True)
        with suppress(KeyboardInterrupt):
            asyncio.run(serve_connections(*listen, make))


_COLLECTIONS: Final = (20_000, 4, 3)
"""A check of 2,000 lines makes 40,000 objects, and most go with the next one by themselves."""


def _look_past_what_lives_long() -> None:
    """Keep garbage collections short: no thread goes on meanwhile, so the editor waits.

    The modules and the schema have 130,000 objects. To look through all of them takes 100 ms.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
    gc.enable()
