"""The rows of data sources: read, listed in the plan, or made; the same for users and for files."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from random import Random
from typing import Final

from planrunner.data.tables import MemoryTable, Table
from planrunner.graph.data import DataNode
from planrunner.language.expressions.builtins.random_draws import Rand
from planrunner.language.expressions.values import Scope
from planrunner.language.hashes import blake2b

__all__ = ["MadeTable", "data_stream", "data_words", "source_blocks", "source_table"]

_MOST_MADE_BEFORE: Final = 10_000
"""Rows of `generate` that are made before the run; more of them are made as they are drawn."""

_SHARING: Final = 8
"""Rows that share a random stream: to begin one takes as long as to make a row."""

_BLOCK: Final = 1_024


class MadeTable:
    """Rows that are made when they are asked for: the same each time, from their number."""

    def __init__(self, node: DataNode, seed: int, scope: Scope) -> None:
        self._count = node.count
        self._columns = node.columns
        self._fields = tuple(node.fields.values())
        self._rng = Random(0)  # seeded before each draw
        self._scope = {**scope, "rand": Rand(self._rng)}
        self._words = blake2b(data_words(seed, node.name), digest_size=16)

    def stream(self) -> Iterator[object]:
        """Yield all rows in order."""
        columns = self._columns
        for block in self.blocks(self._count):
            for values in block:
                yield dict(zip(columns, values, strict=True))

    def blocks(self, count: int) -> Iterator[list[list[object]]]:
        """Yield the values of the first `count` rows, which may be more than the plan says."""
        for first in range(0, count, _BLOCK):
            yield [
                row
                for begin in range(first, min(first + _BLOCK, count), _SHARING)
                for row in self._made(begin, min(_SHARING, count - begin))
            ]

    def places(self) -> array[int]:
        return array("q", range(self._count))

    def at(self, place: int) -> object:
        """Return the row with this number, from 0."""
        before = place % _SHARING
        values = self._made(place - before, before + 1)[before]
        return dict(zip(self._columns, values, strict=True))

    def close(self) -> None:
        pass

    def _made(self, begin: int, count: int) -> list[list[object]]:
        """Return rows that share a stream, from the first of it on."""
        words = self._words.copy()
        words.update(b"\0%d" % begin)
        self._rng.seed(int.from_bytes(words.digest()))
        fields, scope = self._fields, self._scope
        return [[evaluate(scope) for evaluate in fields] for _ in range(count)]


def source_table(node: DataNode, seed: int, scope: Scope) -> Table:
    """Open a source.

    Raises:
        RowFault, FileFault, OSError: Its file is no longer as it was.
        EvaluationError: A row can't be made.
    """
    if node.path:
        from planrunner.data.data_format import open_table  # noqa: PLC0415 - many plans have no files
        from planrunner.data.formats import format_of  # noqa: PLC0415 - as above

        return open_table(Path(node.path), format_of(node.kind, node.layout), node.columns)
    if node.rows:
        return MemoryTable(node.rows)
    table = MadeTable(node, seed, scope)
    return MemoryTable(list(table.stream())) if node.count <= _MOST_MADE_BEFORE else table


def source_blocks(
    node: DataNode, seed: int, scope: Scope, count: int
) -> Iterator[list[list[object]]]:
    """Yield the values of `count` rows, a block at a time.

    A source with fewer rows begins again; made rows never do. Raises as `source_table` does.
    """
    if node.fields:
        yield from MadeTable(node, seed, scope).blocks(count)
        return
    table = source_table(node, seed, scope)
    try:
        rows = islice(chain.from_iterable(_again(table)), count)
        while block := [_values(row, node.columns) for row in islice(rows, _BLOCK)]:
            yield block
    finally:
        table.close()


def _again(table: Table) -> Iterator[Iterator[object]]:
    while True:
        yield table.stream()


def _values(row: object, columns: tuple[str, ...]) -> list[object]:
    """Return the values of a row; a plain one is its only value."""
    return [row.get(column) for column in columns] if isinstance(row, Mapping) else [row]


def data_words(seed: int, *origin: object) -> bytes:
    """Return what names a random stream of the data."""
    return "\0".join(map(str, (seed, "data", *origin))).encode()


def data_stream(seed: int, *origin: object) -> Random:
    """Return a random stream of the data."""
    digest = blake2b(data_words(seed, *origin), digest_size=16).digest()
    return Random(int.from_bytes(digest))
