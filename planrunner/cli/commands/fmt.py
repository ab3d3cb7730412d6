"""`planrunner fmt`: write plans in the one style."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal

import click

from planrunner.cli.group import report_error
from planrunner.cli.plan_options import json_option
from planrunner.cli.streams import print_json, stdout_for_documents
from planrunner.errors import CannotRun, PlanrunnerError
from planrunner.language.diagnostics import PlanError, render
from planrunner.plan.formatting import format_plan
from planrunner.plan.yaml.files import MAX_BYTES, decoded, read_text
from planrunner.results.exit_codes import ExitCode, code_of_error, worst
from planrunner.results.files.atomic import atomic_text_file
from planrunner.values import dataclass

__all__ = ["command"]

_STDIN: Final = Path("-")
_WOULD_CHANGE: Final = ExitCode.THRESHOLD_FAILED


_Act = Literal["write", "check", "diff"]
_Outcome = Literal["changed", "same", "refused"]


@dataclass(frozen=True, slots=True)
class _Formatted:
    """A file, what came of it, and what there is to print: a diff, or standard input's new text."""

    file: str
    end: _Outcome
    text: str = ""
    faults: tuple[dict[str, object], ...] = ()


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
@json_option
def command(files: Sequence[Path], *, checks: bool, shows: bool, as_json: bool) -> int:
    """Write plans and defaults files in one style, each FILE in place; - reads standard input.

    What a plan says doesn't change, nor do comments and the order of keys.
    """
    act: _Act = "diff" if shows else "check" if checks else "write"
    done, codes = [], []
    for path in files:
        try:
            one = _formatted(path, act)
        except PlanrunnerError as error:
            _report(error)
            codes.append(code_of_error(error))
            one = _Formatted(_name(path), "refused", faults=_faults(error))
        done.append(one)
        if not as_json:
            click.echo(one.text, file=stdout_for_documents(), nl=False)
    if as_json:
        print_json([asdict(one) for one in done])
    ends = Counter[str](one.end for one in done)
    if set(files) != {_STDIN}:
        click.echo(_summary(ends, is_done=act == "write"), err=True)
    return worst([*codes, _WOULD_CHANGE if checks and ends["changed"] else ExitCode.OK])


def _formatted(path: Path, act: _Act) -> _Formatted:
    """Do with a file what is asked for.

    Raises:
        PlanrunnerError: It can't be read, formatted or written.
    """
    before = _read(path)
    after = format_plan(before, _name(path))
    end: _Outcome = "same" if after == before else "changed"
    if act == "diff":
        return _Formatted(_name(path), end, _diff(path, before, after))
    if act == "check":
        words = "" if after == before else f"would be formatted: {_name(path)}\n"
        return _Formatted(_name(path), end, words)
    if path == _STDIN:
        return _Formatted(_name(path), end, after)
    if after != before:
        _replace(Path(os.path.realpath(path)), after)
    return _Formatted(_name(path), end)


def _faults(error: PlanrunnerError) -> tuple[dict[str, object], ...]:
    if isinstance(error, PlanError):
        return tuple(fault.as_json() for fault in error.diagnostics)
    return ({"message": error.message, "hint": error.hint},)


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


def _diff(path: Path, before: str, after: str) -> str:
    import difflib  # noqa: PLC0415 - seldom needed

    old, new = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (before, after))
    lines = difflib.unified_diff(old, new, _name(path), f"{_name(path)} (formatted)")
    return "".join(map(_ended, lines))


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
