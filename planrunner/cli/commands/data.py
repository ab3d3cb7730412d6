"""`planrunner data`: the rows of a plan's data source as a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import click

from planrunner.cli.plan_names import complete
from planrunner.cli.plan_options import PlanOptions, json_option, load_plan, with_plan_options
from planrunner.cli.streams import print_json, refusal_of_stdout, stdout_for_bytes
from planrunner.compiler import compile_plan
from planrunner.data.tables import RowFault
from planrunner.data.writing.formats import FILE_FORMATS
from planrunner.errors import CannotRun, UsageError
from planrunner.graph.data import DataNode
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import suggest
from planrunner.runner.data.rows import RowsToWrite, write_rows
from planrunner.units import format_count, format_size

__all__ = ["command"]

_STDOUT: Final = "-"


@click.command(
    "data",
    short_help="write the rows of a plan's data source to a file",
    epilog="""\b
Examples:
  planrunner data plan.yaml orders --rows 100000 --output orders.parquet
  planrunner data plan.yaml orders --rows 10                     look at ten rows
  planrunner data plan.yaml orders --format jsonl | head -n 3
  planrunner data plan.yaml orders --set rows=1000 --seed 42 --output orders.csv
""",
)
@click.argument("plan", type=click.Path(path_type=Path))
@click.argument("name", shell_complete=complete("data"))
@with_plan_options
@click.option(
    "--rows",
    type=click.IntRange(1),
    help="How many rows; default as many as the source has. Generated rows go on, others begin "
    "again.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([*FILE_FORMATS]),
    help="Default what the name of --output ends with, else csv.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=_STDOUT,
    help="The file to write; default `-`, stdout, which takes csv, json and jsonl.",
)
@click.option("--seed", type=click.IntRange(0), help="Seed of the rows, instead of the plan's.")
@json_option
def command(  # noqa: PLR0913 - its options
    *,
    plan: Path,
    name: str,
    options: PlanOptions,
    rows: int | None,
    form: str | None,
    output: Path,
    seed: int | None,
    as_json: bool,
) -> None:
    """Write the rows of the data source NAME of PLAN to a file.

    The bytes are those that `files:` of the plan writes with the same seed, rows and format.
    """
    loaded = load_plan(plan, options, need_secrets=False)
    graph = compile_plan(loaded, seed=int.from_bytes(os.urandom(4)), selection=options.selection)
    if seed is not None:
        graph = replace(graph, seed=seed, seed_was_drawn=False)
    source = _source(graph, name)
    count = rows or source.count
    form = form or _format_of(output)
    _check(form, source, output)
    if as_json and str(output) == _STDOUT:
        raise UsageError("--json says what was written to a file", hint="add `--output FILE`")
    if graph.seed_was_drawn and source.fields:
        click.echo(f"seed {graph.seed}", err=True)
    scope = {
        "run": {"id": "", "dir": "", "seed": graph.seed},
        "now": lambda: datetime.now(UTC).timestamp(),
    }
    with _progress(count) as watch:
        to_write = RowsToWrite(source, count, seed=graph.seed, scope=scope, watch=watch)
        _write(output, form, to_write)
    if as_json:
        written = {"written": str(output), "format": form, "rows": count, "seed": graph.seed}
        print_json({**written, "bytes": output.stat().st_size})
    elif str(output) != _STDOUT:
        size = format_size(output.stat().st_size)
        click.echo(f"wrote {output}: {format_count(count, 'row')}, {size}", err=True)


def _source(graph: RunGraph, name: str) -> DataNode:
    sources = {node.key: node for node in graph.data}
    if name not in sources:
        listed = ", ".join(f"`{each}`" for each in sources)
        hint = suggest(name, list(sources)) or (
            f"data sources: {listed}" if listed else "add it under `data:`"
        )
        raise UsageError(f"the plan has no data source `{name}`", hint=hint)
    return sources[name]


def _format_of(output: Path) -> str:
    ending = output.suffix.removeprefix(".").lower()
    return ending if ending in FILE_FORMATS else next(iter(FILE_FORMATS))


def _check(form: str, source: DataNode, output: Path) -> None:
    """Refuse what can't be written, before anything is.

    Raises:
        UsageError: The format has no such columns, or is none for stdout.
        PackageMissing: What writes it is not installed.
    """
    if str(output) == _STDOUT and not FILE_FORMATS[form].is_text:
        raise UsageError(f"{form} can't be written to stdout", hint="add `--output FILE`")
    try:
        FILE_FORMATS[form].check(source.columns)
    except RowFault as fault:
        raise UsageError(fault.message, hint=fault.hint) from fault


def _write(output: Path, form: str, rows: RowsToWrite) -> None:
    """Write the rows; nothing of a file that can't be finished is left.

    Raises:
        CannotRun: The file can't be written, or a row can't be had.
    """
    if str(output) == _STDOUT:
        try:
            write_rows(stdout_for_bytes(), form, rows)
        except BrokenPipeError:  # its reader has seen enough
            return
        except OSError:
            if not refusal_of_stdout():  # which is said at the end of each command
                raise
        return
    try:
        with _beside(output) as file:
            write_rows(file, form, rows)
    except OSError as error:
        raise CannotRun(
            f"cannot write `{output}`: {error.strerror or error}",
            hint="make room, write fewer rows, or choose another file",
        ) from error


@contextmanager
def _beside(output: Path) -> Iterator[BinaryIO]:
    """Open a file that gets its name when the block ends well."""
    if output.exists() and not output.is_file():  # such as /dev/null
        with output.open("wb") as file:
            yield file
        return
    temporary = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
        temporary.replace(output)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def _progress(count: int) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how far it is; gives what takes the number of rows so far."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    bar = click.progressbar(length=count, label="rows", file=sys.stderr)
    with bar:
        yield lambda done: bar.update(done - bar.pos)
