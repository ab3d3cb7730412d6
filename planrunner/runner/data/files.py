"""Writes the files of test data that a plan names, before anything is measured."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planrunner.errors import CannotRun
from planrunner.graph.data import FileNode
from planrunner.graph.run_graph import RunGraph
from planrunner.language.expressions.values import Scope
from planrunner.results.model import WrittenFile
from planrunner.units import format_count, format_size

if TYPE_CHECKING:
    from planrunner.runner.data.rows import RowsToWrite

__all__ = ["FOLDER", "with_files_written"]

FOLDER: Final = "files"
"""In the run's directory."""

_MANY: Final = 1_000_000
"""Rows that take seconds: then it is said that they are being written."""


class _GivenUp(Exception):  # noqa: N818 - no fault: nobody wants the file any more
    """Writing ends here."""


async def with_files_written(
    graph: RunGraph, directory: Path, run_id: str, tell: Callable[[str], None]
) -> tuple[RunGraph, tuple[WrittenFile, ...]]:
    """Write what steps read, and return the graph with what they know of it.

    Args:
        graph: What runs.
        directory: Of the run.
        run_id: Of the run.
        tell: Called with what was written, a sentence each.

    Raises:
        CannotRun: A file can't be written.
    """
    nodes = graph.written_files
    if not nodes:
        return graph, ()
    folder = _folder(directory)
    given_up = threading.Event()
    writing = asyncio.ensure_future(
        asyncio.to_thread(_written, graph, folder, run_id, tell, given_up)
    )
    try:
        files = await asyncio.shield(writing)
    except asyncio.CancelledError:
        given_up.set()
        await asyncio.gather(writing, return_exceptions=True)
        raise
    known = {file.file: _seen_by_steps(folder, file) for file in files}
    return _with_scopes(graph, known), files


def _folder(directory: Path) -> Path:
    """Return where files go: steps may run in other folders than the command."""
    return directory.absolute() / FOLDER


def _seen_by_steps(folder: Path, file: WrittenFile) -> dict[str, object]:
    path = str(folder / file.file)
    return {"path": path, "rows": file.rows, "bytes": file.bytes, "format": file.format}


def _with_scopes(graph: RunGraph, known: dict[str, dict[str, object]]) -> RunGraph:
    def scope(nodes: tuple[FileNode, ...]) -> Scope:
        return {"files": {node.name: known[node.file] for node in nodes}} if nodes else {}

    return replace(
        graph,
        scope={**graph.scope, **scope(graph.files)},
        phases=tuple(replace(phase, scope=scope(phase.files)) for phase in graph.phases),
    )


def _written(
    graph: RunGraph,
    folder: Path,
    run_id: str,
    tell: Callable[[str], None],
    given_up: threading.Event,
) -> tuple[WrittenFile, ...]:
    def watch(_: int) -> None:
        if given_up.is_set():
            raise _GivenUp

    now = datetime.now(UTC).timestamp()
    run = {"id": run_id, "dir": str(folder.parent), "seed": graph.seed}
    scope: Scope = {**graph.scope, "run": run, "now": lambda: now}
    files = []
    for node in graph.written_files:
        if node.rows >= _MANY:
            tell(f"writing {FOLDER}/{node.file}: {format_count(node.rows, 'row')}")
        from planrunner.runner.data.rows import RowsToWrite  # noqa: PLC0415 - few plans have files

        rows = RowsToWrite(node.source, node.rows, seed=graph.seed, scope=scope, watch=watch)
        size = _write_file(folder / node.file, node, rows)
        phases = tuple(phase.name for phase in graph.phases if node in phase.files)
        file = WrittenFile(
            name=node.name,
            file=node.file,
            source=node.source.name,
            format=node.format,
            rows=node.rows,
            bytes=size,
            phases=phases,
        )
        tell(f"wrote {FOLDER}/{node.file}: {format_count(node.rows, 'row')}, {format_size(size)}")
        files.append(file)
    return tuple(files)


def _write_file(path: Path, node: FileNode, rows: RowsToWrite) -> int:
    """Write one file, and return its size.

    Raises:
        CannotRun: It can't be written; nothing of it is left.
    """
    try:
        path.parent.mkdir(exist_ok=True)
        try:
            with path.open("wb") as file:
                from planrunner.runner.data.rows import write_rows  # noqa: PLC0415 - as above

                write_rows(file, node.format, rows)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path.stat().st_size
    except OSError as error:
        raise CannotRun(
            f"cannot write `{FOLDER}/{node.file}` with {format_count(node.rows, 'row')}: "
            f"{error.strerror or error}",
            hint="make room, write fewer `rows`, or choose another directory with --out",
        ) from error
