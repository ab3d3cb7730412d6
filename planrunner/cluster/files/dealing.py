"""Large files of test data: each host gets the rows that its users draw, in their order.

Which worker draws a row follows from the row's number, so the coordinator can tell beforehand. What
a host gets is a file like the one it stands for, with fewer rows: its workers deal it among
themselves, and each draws the rows that it would have drawn of the whole file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from planrunner.cluster.files.manifest import FileToSend, file_to_send
from planrunner.data.formats import format_of
from planrunner.data.text_files import TextTable
from planrunner.engine.users.data_feeds import rows_once_dealt
from planrunner.engine.workers.assignment import held_rows
from planrunner.errors import CannotRun
from planrunner.graph.data import DataNode
from planrunner.graph.run_graph import RunGraph
from planrunner.schedule.partition import owners_of_rows

__all__ = ["LARGE", "dealt_files"]

LARGE: Final = 16_000_000
"""Bytes from which on a file is dealt."""


def dealt_files(
    graph: RunGraph, path: str, source: str, hosts: Sequence[Sequence[int]], folder: Path
) -> list[FileToSend] | None:
    """Return for each host a file with the rows that its workers draw; None to send it whole.

    Args:
        graph: What runs.
        path: The whole path of the file, which is read for its rows only.
        source: Where it is.
        hosts: The workers of each, in order.
        folder: Where the files are written; they have as many bytes together as the whole one.

    Raises:
        CannotRun: It can't be read, or there is no room.
    """
    real = os.path.realpath(source)
    nodes = [node for node in graph.data if node.path and os.path.realpath(node.path) == real]
    if len(nodes) != 1 or len(hosts) == 1 or Path(source).stat().st_size < LARGE:
        return None
    if any(nodes[0].key in program.rows for program in graph.programs()):
        return None
    workers = sum(map(len, hosts))
    try:
        written = _written(nodes[0], graph.seed, held_rows(graph, workers), hosts, folder)
    except OSError as error:
        raise CannotRun(
            f"the rows of `{path}` can't be dealt in `{folder}`: {error.strerror or error}",
            hint="make room there, or let TMPDIR name a folder on another disk",
        ) from error
    node = nodes[0]
    is_secret = bool(node.secret or node.is_secret)
    if written is None:
        return None
    return [
        replace(file_to_send(path, one, is_secret=is_secret), workers=tuple(own))
        for one, own in zip(written, hosts, strict=True)
    ]


def _written(
    node: DataNode,
    seed: int,
    needs: Mapping[str, Sequence[int]],
    hosts: Sequence[Sequence[int]],
    folder: Path,
) -> list[Path] | None:
    table = format_of(node.kind, node.layout).open_rows(Path(node.path), node.columns)
    if not isinstance(table, TextTable):
        return None
    workers = sum(map(len, hosts))
    places = rows_once_dealt(node, table, seed, workers)
    if not places:
        return None
    paths = [folder / f"{node.key}-{number}" for number in range(len(hosts))]
    with ExitStack() as opened:
        files = [opened.enter_context(path.open("wb")) for path in paths]
        head = table.head(places)
        for file in files:
            file.write(head)
        host_of = {worker: file for own, file in zip(hosts, files, strict=True) for worker in own}
        write = [host_of[worker].write for worker in range(workers)]
        owners = owners_of_rows(workers, needs.get(node.key, ()))
        for owner, row in zip(owners, table.bytes_read(places), strict=False):
            write[owner](row)
    return paths
