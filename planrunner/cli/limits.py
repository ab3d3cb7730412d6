"""What the system gives: processors, and enough file descriptors for the users of a plan."""

from __future__ import annotations

import sys
from contextlib import suppress

import click

from planrunner.errors import CannotRun
from planrunner.runner.event_loop import OWN_DESCRIPTORS

__all__ = ["need_descriptors", "wished_workers"]

_MOST_WORKERS = 256


def wished_workers(_context: object, _option: object, text: str | None) -> int | None:
    """Read `--workers` where the machine may be another one: `auto` is 0, and None says nothing.

    Raises:
        click.BadParameter: It is no number of workers.
    """
    if text is None:
        return None
    if text == "auto":
        return 0
    if text.isdecimal() and 1 <= int(text) <= _MOST_WORKERS:
        return int(text)
    raise click.BadParameter(f"`{text}` is neither `auto` nor a number from 1 to {_MOST_WORKERS}")


def need_descriptors(connections: int) -> None:
    """Raise the soft limit of open files so that `connections` sockets fit.

    Raises:
        CannotRun: The hard limit is too low.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    wanted = connections + OWN_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return
    raise CannotRun(
        f"{connections:,} users need {wanted:,} open files, but this process may open {hard:,}",
        hint=f"raise the limit (`ulimit -n {wanted}`) or run fewer users",
    )
