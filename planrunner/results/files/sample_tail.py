"""Reads raw samples while they are written: each once, soon after it is in its file.

`SampleReader` reads the files of a run that is over, and counts what is damaged; this reads what
has come since the last look, and takes what is not whole yet for what is still being written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from planrunner.metrics.series import Labels
from planrunner.results.files.sample_blocks import next_block, origin_of, unseal
from planrunner.results.files.sample_reader import labels_of, worker_files
from planrunner.results.files.sample_values import (
    VALUES_MARK,
    SampleValues,
    StreamFacts,
    joined_values,
)
from planrunner.results.files.samples import ROW

__all__ = ["SampleTail", "TailedSample"]

RawRow = tuple[int, ...]


class TailedSample(NamedTuple):
    """A sample.

    Attributes:
        key: The same for all samples of a series, in the files of one worker.
        row: The fields of its `SampleRow`.
        stream: What it says of its stream; empty for none.
        message: What its failure says; empty for none.
        started_unix_ns: The wall-clock time of the run's start.
        worker: Who wrote it, from 1.
    """

    key: tuple[str, int]
    labels: Labels
    row: RawRow
    values: SampleValues
    stream: StreamFacts
    message: str
    started_unix_ns: int
    worker: int


class SampleTail:
    """Follows the files of a run, those of several workers too.

    Args:
        path: Of the first worker's row file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: dict[Path, _Followed] = {}

    def read(self) -> Iterator[TailedSample]:
        """Yield what has come since; a sample whose values may still come waits for them."""
        for path, worker in self._paths():
            if path not in self._files:
                with suppress(OSError):  # it is about to be there
                    self._files[path] = _Followed(path, worker)
        for followed in self._files.values():
            yield from followed.read()

    def rest(self) -> Iterator[TailedSample]:
        """Yield what is left when nothing more is written."""
        yield from self.read()
        for followed in self._files.values():
            yield from followed.rest()

    def close(self) -> None:
        for followed in self._files.values():
            followed.close()

    def _paths(self) -> Iterator[tuple[Path, int]]:
        yield self._path, 1
        yield from worker_files(self._path)


class _Followed:
    """The two files of one worker.

    Raises:
        OSError: One of them is not there.
    """

    def __init__(self, path: Path, worker: int) -> None:
        self._name, self._worker = path.name, worker
        self._path = path
        self._names = path.with_suffix(".jsonl").open("rb")
        try:
            self._rows: IO[bytes] = path.open("rb")
        except OSError:
            self._names.close()
            raise
        self._started_unix_ns = -1
        self._labels: dict[int, Labels] = {}
        self._messages = {0: ""}
        self._held: list[RawRow] = []

    def read(self) -> Iterator[TailedSample]:
        if self._started_unix_ns < 0:
            self._read_names()
        if self._started_unix_ns < 0:  # not even its header is there
            return
        rows = [*self._held, *self._new_rows()]
        self._read_names()  # afterwards: names are written before the rows that have them
        at = _last_sample(rows)
        self._held = rows[at:]
        yield from self._samples(rows[:at])

    def rest(self) -> Iterator[TailedSample]:
        rows, self._held = self._held, []
        yield from self._samples(rows)

    def close(self) -> None:
        self._names.close()
        self._rows.close()

    def _samples(self, rows: list[RawRow]) -> Iterator[TailedSample]:
        started = self._started_unix_ns
        for row, values, stream, _ in joined_values(rows):
            labels, message = self._labels.get(row[0]), self._messages.get(row[7])
            if labels is not None and message is not None:
                key = (self._name, row[0])
                yield TailedSample(key, labels, row, values, stream, message, started, self._worker)

    def _new_rows(self) -> Iterator[RawRow]:
        origin = origin_of(self._path, self._started_unix_ns)
        while True:
            begin = self._rows.tell()
            block = next_block(self._rows, origin)
            if block is None:
                self._rows.seek(begin, os.SEEK_SET)
                return
            yield from ROW.iter_unpack(block.payload)

    def _read_names(self) -> None:
        while True:
            begin = self._names.tell()
            line = self._names.readline()
            if not line.endswith(b"\n"):
                self._names.seek(begin, os.SEEK_SET)
                return
            self._keep(unseal(line[:-1]))

    def _keep(self, entry: dict[str, object] | None) -> None:
        match entry:
            case {"started_unix_ns": int(started)}:
                self._started_unix_ns = started
            case {"message": int(number), "text": str(text)}:
                self._messages[number] = text
            case {"series": int(index), **labels}:
                self._labels[index] = labels_of(labels)
            case _:
                pass  # what is said at the end of a run


def _last_sample(rows: list[RawRow]) -> int:
    """Return where the last sample begins: its values may not all be there."""
    for at in range(len(rows) - 1, -1, -1):
        if rows[at][7] != VALUES_MARK:
            return at
    return 0
