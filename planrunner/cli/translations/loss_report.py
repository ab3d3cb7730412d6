"""Options of a loss report, and the exit code that it leads to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from planrunner.errors import UsageError
from planrunner.loss.ledger import Ledger
from planrunner.loss.report import as_json, as_text
from planrunner.results.exit_codes import ExitCode

__all__ = ["exit_code", "note", "tell", "with_loss_options", "write_text"]

TranslatingCommand = TypeVar("TranslatingCommand", bound=Callable[..., Any])


def with_loss_options(command: TranslatingCommand) -> TranslatingCommand:
    """Give a command --report, --json and --allow-loss."""
    for option in (
        click.option(
            "--allow-loss", is_flag=True, help="Exit with 0 also when something was lost."
        ),
        click.option("--json", "as_document", is_flag=True, help="Make the loss report JSON."),
        click.option(
            "--report",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Where the loss report goes; default stderr.",
        ),
    ):
        command = option(command)
    return command


def tell(ledger: Ledger, report: Path | None, *, as_document: bool) -> None:
    """Write the report to its file, or to stderr.

    Raises:
        UsageError: The file can't be written.
    """
    text = json.dumps(as_json(ledger), indent=2) + "\n" if as_document else as_text(ledger)
    if report is None:
        click.echo(text, err=True, nl=False)
    else:
        write_text(report, text)


def note(words: str, report: Path | None, *, as_document: bool) -> None:
    """Print a line beside the report, unless a document of JSON is all that stderr gets."""
    if report is not None or not as_document:
        click.echo(words, err=True)


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        UsageError: It can't be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from error


def exit_code(ledger: Ledger, *, allow_loss: bool) -> ExitCode:
    """Return the code of a translation that has ended well."""
    is_lossy = ledger.tally().has_loss and not allow_loss
    return ExitCode.THRESHOLD_FAILED if is_lossy else ExitCode.OK
