"""The live page of a run that a command starts (`--ui`)."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import click

from planrunner.cli.leaving import Leaving
from planrunner.errors import UsageError
from planrunner.outputs.base import Output
from planrunner.results.model import RunResult
from planrunner.runner.api import run
from planrunner.runner.reach import is_loopback
from planrunner.runner.report_files import written_files
from planrunner.runner.request import PreparedRun

if TYPE_CHECKING:
    from planrunner.web.page_process import PageProcess

__all__ = [
    "PageCommand",
    "address_of",
    "linger",
    "page_process",
    "run_shown",
    "tell_address",
]

_OPTION: Final = "--ui"
_LOOPBACK: Final = "127.0.0.1"
_ADDRESS: Final = re.compile(r"(?:(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\]|):)?(?P<port>\d{1,5})")
_SOON_S: Final = 0.5


class PageCommand(click.Command):
    """A command with `--ui`, which may stand alone: what follows it is a plan then."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write `--ui` and an address behind it as one word."""
        return super().parse_args(ctx, list(_joined(args)))


def _joined(args: Sequence[str]) -> Iterator[str]:
    words = iter(args)
    for word in words:
        if word == "--":
            yield word
            yield from words
        elif word != _OPTION:
            yield word
        else:
            following = next(words, None)
            if following is not None and _ADDRESS.fullmatch(following):
                yield f"{_OPTION}={following}"
                continue
            yield f"{_OPTION}={_LOOPBACK}:0"
            if following is not None:
                yield from _joined([following, *words])


def address_of(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> tuple[str, int] | None:
    """Return where to listen; None for no page.

    Raises:
        UsageError: It is not an address.
    """
    del context, parameter
    if text is None:
        return None
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        hint = "write `--ui`, `--ui=8089` or `--ui=HOST:PORT`"
        raise UsageError(f"--ui: `{text}` is not an address", hint=hint)
    return (found["host"] or _LOOPBACK).strip("[]"), int(found["port"])


@contextmanager
def page_process(address: tuple[str, int] | None) -> Iterator[PageProcess | None]:
    """Have the process of the page during the block; None without an address.

    Raises:
        PackageMissing: The extra `ui` is not installed.
    """
    if address is None:
        yield None
        return
    from planrunner.web.page_process import PageProcess  # noqa: PLC0415 - most runs have no page

    with PageProcess(*address) as page:
        yield page


async def run_shown(
    prepared: PreparedRun,
    outputs: Sequence[Output],
    page: PageProcess | None,
    *,
    opens: bool,
    lingers: Callable[[], bool],
) -> RunResult:
    """Run a plan, on the page too if there is one; print the page's address.

    Args:
        prepared: What runs.
        outputs: That it has beside the page.
        page: Its process.
        opens: Whether a browser is opened as well.
        lingers: Asked when the run is over: whether the page may stay as long as somebody looks.

    Raises:
        PlanrunnerError: As `runner.api.run`.
        CannotRun: The page can't listen where it should.
    """
    if page is None:
        return await run(prepared, outputs)
    stop, steering = prepared.request.stop, prepared.request.steering
    assert stop is not None
    assert steering is not None
    async with page.open(stop, steering) as shown:
        tell_address("live page", shown.url, page.host)
        if opens:
            import webbrowser  # noqa: PLC0415 - seldom asked for

            await asyncio.to_thread(webbrowser.open, shown.ticket)
        shown.show(prepared)
        result = await run(prepared, (*outputs, shown.output))
        files = written_files(prepared.graph, prepared.directory)
        shown.over(result, prepared.directory, files, lingers=lingers())
    return result


def tell_address(what: str, url: str, host: str) -> None:
    """Print where a page is; and who can reach it, when that is not only this machine."""
    click.echo(f"{what}: {url}", err=True)
    if not is_loopback(host):
        words = "other machines can reach the page, and it has no encryption"
        click.echo(f"note: {words}: use it in a network that you trust", err=True)


def is_watched() -> bool:
    """Whether a person sits at a terminal, who may go on looking when the run is over."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def linger(page: PageProcess | None, leaving: Leaving, exit_code: int) -> None:
    """Wait until nobody looks at the page any more, or Ctrl-C is pressed."""
    if page is None or not is_watched() or leaving.was_asked:
        return
    with leaving.waiting(exit_code), suppress(KeyboardInterrupt):
        if not page.wait(_SOON_S):
            click.echo("the live page stays until you close it, or press Ctrl-C here", err=True)
            page.wait()
