"""`planrunner fmt`: write plans in the one style."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from planrunner.cli.group import report_error
from planrunner.cli.streams import stdout_for_documents
from planrunner.errors import CannotRun, PlanrunnerError
from planrunner.language.diagnostics import PlanError, render
from planrunner.plan.formatting import format_plan
from planrunner.plan.yaml.files import MAX_BYTES, decoded, read_text
from planrunner.results.exit_codes import ExitCode, code_of_error, worst
from planrunner.results.files.atomic import atomic_text_file

__all__ = ["command"]

_STDIN: Final = Path("-")
_WOULD_CHANGE: Final = ExitCode.THRESHOLD_FAILED


@click.command(
    "fmt",
    short_help="write plans in one style",
    epilog="""\b
Examples:
  planrunner fmt plans/*.yaml            write them in place
  planrunner fmt --check plans/*.yaml    in a build: exit 1 if one would change
  planrunner fmt --diff plan.yaml        what would change?
  planrunner fmt - < plan.yaml           for editors: standard input to output
""",
)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option(
    "--check", "checks", is_flag=True, help="Write nothing; exit 1 if a file would change."
)
@click.option("--diff", "shows", is_flag=True, help="Write nothing; print what would change.")
def command(
    files: Sequence[Path],
    checks: bool,  # noqa: FBT001 - as click calls it
    shows: bool,  # noqa: FBT001
) -> int:
    """Write plans and defaults files in one style, each FILE in place; - reads standard input.

    What a plan says doesn't change, nor do comments and the order of keys.
    """
    codes, ends = [], Counter[str]()
    for path in files:
        try:
            before = _read(path)
            after = format_plan(before, _name(path))
            if shows:
                _show(path, before, after)
            elif checks:
                _name_changed(path, before, after)
            else:
                _write(path, before, after)
            ends["changed" if after != before else "same"] += 1
        except PlanrunnerError as error:
            _report(error)
            codes.append(code_of_error(error))
            ends["refused"] += 1
    if set(files) != {_STDIN}:
        click.echo(_summary(ends, is_done=not (checks or shows)), err=True)
    return worst([*codes, _WOULD_CHANGE if checks and ends["changed"] else ExitCode.OK])


def _report(error: PlanrunnerError) -> None:
    if not isinstance(error, PlanError):
        report_error(error)
        return
    for fault in error.diagnostics:
        click.echo(f"{render(fault)}\n", err=True)


def _name(path: Path) -> str:
    return "<stdin>" if path == _STDIN else os.fspath(path)


def _read(path: Path) -> str:
    if path != _STDIN:
        return read_text(path)
    return decoded(sys.stdin.buffer.read(MAX_BYTES + 1), _name(path))


def _write(path: Path, before: str, after: str) -> None:
    if path == _STDIN:
        click.echo(after, file=stdout_for_documents(), nl=False)
    elif after != before:
        _replace(Path(os.path.realpath(path)), after)


def _replace(path: Path, text: str) -> None:
    """Give a file another text; its mode and owner stay."""
    if not os.access(path, os.W_OK):
        raise CannotRun(f"cannot write `{path}`: permission denied", hint="make it writable")
    was = path.stat()
    try:
        with atomic_text_file(path) as file:
            Path(file.name).chmod(was.st_mode & 0o7777)
            with suppress(OSError, AttributeError):  # only root may give files away
                os.chown(file.name, was.st_uid, was.st_gid)
            file.write(text)
    except CannotRun as error:
        raise CannotRun(error.message, hint="make room, and its folder writable") from error


def _name_changed(path: Path, before: str, after: str) -> None:
    if after != before:
        click.echo(f"would be formatted: {_name(path)}")


def _show(path: Path, before: str, after: str) -> None:
    import difflib  # noqa: PLC0415 - seldom needed

    old, new = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (before, after))
    lines = difflib.unified_diff(old, new, _name(path), f"{_name(path)} (formatted)")
    click.echo("".join(map(_ended, lines)), file=stdout_for_documents(), nl=False)


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _summary(ends: Counter[str], *, is_done: bool) -> str:
    changed, same = "formatted", "left unchanged"
    if not is_done:
        changed, same = "would be formatted", "already formatted"
    words = {"changed": changed, "same": same, "refused": "refused"}
    said = [f"{ends[kind]} {words[kind]}" for kind in words if ends[kind]]
    count, _, rest = said[0].partition(" ")
    said[0] = f"{count} file{'s' if count != '1' else ''} {rest}"
    return ", ".join(said)
