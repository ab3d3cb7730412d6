"""Tries a plan again whenever one of its files is saved, each time in a process of its own.

So each try is what `execute --once` does: hooks are imported anew, services start and stop, and
whatever a try leaves behind ends with it.
"""

from __future__ import annotations

import gc
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import click

from planrunner.cli.plan_options import PlanOptions, load_plan
from planrunner.compiler import compile_plan
from planrunner.errors import PlanrunnerError
from planrunner.extras import need
from planrunner.language.files import files_noted
from planrunner.plan.python_files import python_files
from planrunner.results.exit_codes import ExitCode
from planrunner.spawn import command_of
from planrunner.units import format_count

__all__ = ["WATCH", "watch_plan"]

WATCH: Final = "--watch"

_LOOK_MS: Final = 50
"""How often a try that lasts is looked at."""

_QUIET_MS: Final = 50
"""How long nothing is saved before it is one change: editors write a file in several steps …"""

_LOUD_MS: Final = 500
"""… and how long to wait for that, where a service writes beside the plan all the time."""

_PATIENCE_S: Final = 15.0
"""What a try gets to stop its services."""


def watch_plan(plan: Path, options: PlanOptions, arguments: Sequence[str]) -> int:
    """Try a plan once, and again after each change of its files, until a signal comes.

    Args:
        plan: Its file.
        options: What the command line says about it.
        arguments: The command line of `execute`, with `--watch`.

    Returns:
        The exit code: 0 when the signal came between two tries.

    Raises:
        PackageMissing: watchfiles is not installed.
    """
    need("watchfiles", f"`{WATCH}`")
    gc.enable()  # `main` turned it off for the load of a run
    command = [*command_of("planrunner.cli.main"), "execute", *_of_a_try(arguments)]
    known: frozenset[Path] = frozenset()
    try:
        while True:
            _begin_page()
            known |= _files_of(plan, options)  # of a broken plan, those that it had as well
            _try_until_saved(command, plan, known)
            _say(f"{plan}: saved")
    except KeyboardInterrupt as interrupt:
        return ExitCode.INTERRUPTED if interrupt.args else ExitCode.OK


def _of_a_try(arguments: Sequence[str]) -> list[str]:
    rest = [argument for argument in arguments if argument != WATCH]
    return rest if "--once" in rest else ["--once", *rest]


def _files_of(plan: Path, options: PlanOptions) -> frozenset[Path]:
    """Return what a plan opens as far as it is valid, and modules that its own may import.

    The try says what is wrong with it.
    """
    with files_noted() as files, suppress(PlanrunnerError):
        loaded = load_plan(plan, options, need_secrets=False)
        files.update(python_files(loaded).files)
        compile_plan(loaded, selection=options.selection)
    folders = {file.parent for file in files if file.suffix == ".py"}
    return frozenset(files).union(*(folder.glob("*.py") for folder in folders))


def _try_until_saved(command: Sequence[str], plan: Path, files: frozenset[Path]) -> None:
    """Try the plan, and return at the next change.

    Raises:
        KeyboardInterrupt: A signal came; with words if the try was not over.
    """
    changes = _changes(files)
    if next(changes):  # from now on nothing is missed
        return
    with _trying(command) as child:
        is_over = False
        try:
            for has_changed in changes:
                if has_changed:
                    return
                if not is_over and child.poll() is not None:
                    is_over = True
                    _say(f"watching {_words(plan, files)}; Ctrl-C ends")
        except KeyboardInterrupt:
            if child.poll() is None:
                raise KeyboardInterrupt("the try was not over") from None
            raise


def _changes(files: frozenset[Path]) -> Iterator[bool]:
    """Yield, many times a second, whether one of the files has changed since."""
    from watchfiles import watch  # noqa: PLC0415 - an extra

    files |= {Path(os.path.realpath(file)) for file in files}
    known = {str(one) for file in files for one in _until_there(file)}
    for changes in watch(
        *sorted({_folder_of(file) for file in files}),
        watch_filter=lambda _, path: path in known,
        debounce=_LOUD_MS,
        step=_QUIET_MS,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        recursive=False,  # a file that is replaced has its folder for a witness
    ):
        yield bool(changes)


def _until_there(file: Path) -> Iterator[Path]:
    """Yield a file, and the folders around it that are still missing."""
    yield file
    yield from itertools.takewhile(lambda folder: not folder.is_dir(), file.parents)


def _folder_of(file: Path) -> Path:
    return next(folder for folder in file.parents if folder.is_dir())


@contextmanager
def _trying(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a try beside the block, which asks it to end if it hasn't."""
    # Signals of the terminal are for this process, which passes on one.
    with subprocess.Popen(command, start_new_session=True) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    child.wait(_PATIENCE_S)
            child.kill()


def _begin_page() -> None:
    """Begin with an empty screen, if it is one that may be cleared."""
    is_plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    if sys.stdout.isatty() and not is_plain:
        click.clear()


def _say(words: str) -> None:
    click.echo(words, err=True)


def _words(plan: Path, files: frozenset[Path]) -> str:
    others = len(files - {Path(os.path.abspath(plan))})  # noqa: PTH100 - links stay
    more = f" and {format_count(others, 'more file')}" if others else ""
    return f"{plan}{more}"
