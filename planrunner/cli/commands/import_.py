"""`planrunner import`: another tool's test as a plan, with a report of what was lost."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem

from planrunner.cli.streams import stdout_for_bytes
from planrunner.cli.translations.loss_report import exit_code, note, tell, with_loss_options
from planrunner.cli.translations.progress import telling_progress
from planrunner.errors import UsageError
from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, import_valid, overwritten, write
from planrunner.importers.registry import all_importers
from planrunner.importers.sources import SourceFile
from planrunner.results.exit_codes import ExitCode

__all__ = ["command"]

_STDOUT: Final = Path("-")
_READ_IT: Final = "read it, then run `planrunner execute PLAN --once`"


def _complete_formats(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=one.title)
        for name, one in all_importers().items()
        if name.startswith(incomplete)
    ]


@click.command(
    "import",
    short_help="make a plan of another tool's test",
    epilog="""\b
Examples:
  planrunner import load.jmx --output plan.yaml
  planrunner import session.har > plan.yaml
  planrunner import api.postman_collection.json staging.postman_environment.json
  planrunner import scenario.yml --from artillery --report losses.txt
  planrunner import --curl "curl -X POST http://127.0.0.1:8000/orders -d id=1"
  planrunner import load.jmx --json --report losses.json --allow-loss
  planrunner import session.har --output plan.yaml --once    and try each task

\b
Exit codes: 0 nothing lost, 1 something changed in meaning or was left out
(0 with --allow-loss), 2 the files can't be read as a test.
""",
)
@click.argument(
    "files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "--from",
    "format_name",
    metavar="FORMAT",
    shell_complete=_complete_formats,
    help="What the files are, where that can't be seen; `planrunner import --list` shows all.",
)
@click.option("--curl", metavar="COMMAND", help="A command of curl, as browsers copy requests.")
@click.option("--list", "lists", is_flag=True, help="Print the formats, and end.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=_STDOUT,
    help="The plan to write; default `-`, stdout. Data files and hooks are written beside it.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing plan.")
@with_loss_options
@click.option(
    "--once",
    is_flag=True,
    help="Try the written plan as `execute --once` does: this sends its requests. Needs --output.",
)
@click.option("--assets", is_flag=True, help="Keep requests for static files of a recording.")
@click.option("--resolve", is_flag=True, help="Read local files that a document points to.")
@click.pass_context
def command(  # noqa: PLR0913 - its options
    context: click.Context,
    *,
    files: tuple[Path, ...],
    format_name: str | None,
    curl: str | None,
    lists: bool,
    output: Path,
    force: bool,
    report: Path | None,
    as_document: bool,
    allow_loss: bool,
    once: bool,
    assets: bool,
    resolve: bool,
) -> int:
    """Make a plan of FILES, which belong together, and say what was lost.

    Nothing of them is run, and nothing is sent or fetched without --once.
    """
    if lists:
        _print_formats()
        return ExitCode.OK
    _refuse_overwriting(files, output, report)
    sources = [_source(path) for path in dict.fromkeys(files)]
    if curl is not None:
        sources.append(SourceFile(None, "--curl", curl.encode()))
        format_name = format_name or ("curl" if not files else None)
    _refuse(sources, output, force=force, once=once)
    with telling_progress(sources):
        imported = import_valid(
            sources,
            format_name=format_name,
            options=ImportOptions(keeps_assets=assets, resolves=resolve),
        )
    for words in _write_plan(imported, output, force=force):
        note(words, report, as_document=as_document)
    tell(imported.ledger, report, as_document=as_document)
    if once and imported.copies_code:
        click.echo(f"note: not tried, as hooks.py has code of the original: {_READ_IT}", err=True)
    elif once and (code := _try_once(context, output)):
        return code
    return exit_code(imported.ledger, allow_loss=allow_loss)


def _print_formats() -> None:
    width = max(map(len, all_importers()))
    for name, one in all_importers().items():
        click.echo(f"{name:<{width}}  {one.title}")


def _refuse(files: Sequence[SourceFile], output: Path, *, force: bool, once: bool) -> None:
    """Refuse what can't be done, before anything is read.

    Raises:
        UsageError: There is nothing to import, or nowhere to write it.
    """
    if not files:
        raise UsageError("no file to import", hint="name one, or see `planrunner import --help`")
    if once and output == _STDOUT:
        raise UsageError("--once tries the plan that --output writes", hint="add --output PLAN")
    if output != _STDOUT and output.exists() and not force:
        raise UsageError(f"`{output}` exists", hint="choose another name, or add --force")


def _refuse_overwriting(files: Sequence[Path], output: Path, report: Path | None) -> None:
    """Refuse to write over what is read, or one result over the other.

    Raises:
        UsageError: The same file is named twice.
    """
    read = {path.resolve() for path in files if path != _STDOUT}
    for option, path in (("--output", output), ("--report", report)):
        if path is None or path == _STDOUT:
            continue
        if path.resolve() in read:
            raise UsageError(f"{option} would overwrite `{path}`, which is read or written already")
        read.add(path.resolve())


def _try_once(context: click.Context, plan: Path) -> int:
    """Send each request of a plan once; returns what `execute --once` does."""
    from planrunner.cli.commands.execute import command as execute  # noqa: PLC0415 - seldom asked

    with execute.make_context("execute", [str(plan), "--once"], parent=context) as below:
        code: int = execute.invoke(below)
        return code


def _source(path: Path) -> SourceFile:
    if path == _STDOUT:
        return SourceFile.piped("<stdin>", sys.stdin.buffer)
    if path.is_file():
        return SourceFile(path, str(path))
    with path.open("rb") as pipe:
        return SourceFile.piped(str(path), pipe)


def _write_plan(imported: Imported, output: Path, *, force: bool) -> list[str]:
    """Write a plan and what it reads; returns what to say about its files."""
    if output == _STDOUT:
        stdout_for_bytes().write(imported.text.encode())
        words = "note: the plan reads `{}`, which only --output writes"
        return [words.format(name) for name in imported.files]
    if not force and (others := overwritten(imported, output)):
        raise UsageError(
            f"`{others[0]}` exists, and the plan needs another file of that name",
            hint="write the plan to another folder, or add --force",
        )
    try:
        return [f"wrote {path}" for path in write(imported, output)]
    except OSError as error:
        raise UsageError(f"cannot write `{output}`: {error.strerror}") from error
