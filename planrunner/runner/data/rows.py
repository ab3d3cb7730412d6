"""Rows of a data source on their way into a file: the same for a run and for a command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from planrunner.data.tables import RowFault
from planrunner.data.writing.formats import FILE_FORMATS
from planrunner.data.writing.rows import RowBlock, WrittenRows
from planrunner.engine.users.data_feeds import data_fault
from planrunner.engine.users.source_rows import data_words, source_blocks
from planrunner.errors import CannotRun
from planrunner.graph.data import DataNode
from planrunner.language.expressions.values import EvaluationError, Scope
from planrunner.language.files import FileFault
from planrunner.language.hashes import blake2b

__all__ = ["RowsToWrite", "write_rows"]

_PLAIN_COLUMN: Final = "value"
"""What the column of rows without columns is called in a file."""


class RowsToWrite:
    """Which rows go into a file.

    Args:
        source: Where they come from.
        count: How many.
        seed: Of the run.
        scope: What expressions of made rows may read: `run`, `now`.
        watch: Called with the number of rows so far, several times a second.
    """

    def __init__(
        self,
        source: DataNode,
        count: int,
        *,
        seed: int,
        scope: Scope,
        watch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.source = source
        self._count = count
        self._seed = seed
        self._scope = scope
        self._watch = watch

    def rows(self) -> WrittenRows:
        """Return them for a writer."""
        words = data_words(self._seed, self.source.name, "avro")
        return WrittenRows(
            name=self.source.name,
            columns=self.source.columns or (_PLAIN_COLUMN,),
            blocks=self._blocks(),
            marker=blake2b(words, digest_size=16).digest(),
        )

    def _blocks(self) -> Iterator[RowBlock]:
        done = 0
        for block in source_blocks(self.source, self._seed, self._scope, self._count):
            yield block
            done += len(block)
            self._watch(done)


def write_rows(file: BinaryIO, form: str, rows: RowsToWrite) -> None:
    """Write rows to an open file; the same bytes for the same seed.

    Raises:
        CannotRun: A row can't be had, or doesn't fit the format.
        OSError: The file takes no more.
    """
    try:
        FILE_FORMATS[form].write(file, rows.rows())
    except (RowFault, EvaluationError, FileFault) as error:
        words = data_fault(rows.source, error)
        raise CannotRun(words, hint=getattr(error, "hint", "")) from error
