"""Raw samples on disk: fixed-size rows in one file, what their numbers mean in another.

`samples.bin` holds nothing but rows, in the order in which the samples ended. `samples.jsonl`
holds one header, then a line for each series and each error message before the first row that
refers to it, and at the end of the run a line with the number of rows. Both carry checksums
(`sample_blocks`). So a file that ends anywhere, after a crash or on a full disk, is readable up to
its last whole block, and `SampleReader` counts what is lost.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from struct import Struct
from typing import IO, Final, NamedTuple

from planrunner.errors import CannotRun, UsageError
from planrunner.metrics.series import Series
from planrunner.results.files.sample_blocks import HEAD_BYTES, origin_of, pack_blocks, seal
from planrunner.results.files.sample_values import measure_rows, stream_row, value_rows
from planrunner.values import dataclass

__all__ = [
    "READABLE_VERSIONS",
    "ROW",
    "ROW_BYTES",
    "SAMPLES_VERSION",
    "Keep",
    "SampleFile",
    "SampleRow",
    "SampleWriter",
    "pack_measures",
    "pack_row",
    "pack_stream",
    "pack_values",
    "parse_keep",
    "write_keep",
]

SAMPLES_VERSION: Final = 3
READABLE_VERSIONS: Final = (2, SAMPLES_VERSION)
"""Samples of format 2 have no rows of measures."""

ROW: Final = Struct("<IqqqqqQH")
_LEAST_FREE_BYTES: Final = 500_000_000
"""Of the disk: what reports, and others on the machine, need more than further samples do."""

_MAX_MESSAGES: Final = 1_000
_MAX_MESSAGE_LENGTH: Final = 200
_OTHER_MESSAGES: Final = "(one of more than 1,000 different messages)"


class SampleRow(NamedTuple):
    """One sample, as `pack_row` takes its fields.

    Attributes:
        series: `Series.index`.
        start_ns: When it was due, or else asked for, from the start of the run.
        connect_ns: 0 on an open connection.
        ttfb_ns: 0 when no byte of a reply came.
        body_bytes: Of the reply, as received.
        message: What `SampleWriter.message` gave for the failure's words; 0 for none.
    """

    series: int
    start_ns: int
    latency_ns: int
    service_ns: int
    ttfb_ns: int
    connect_ns: int
    body_bytes: int
    message: int


ROW_BYTES: Final = ROW.size


def pack_values(
    series: int, start_ns: int, latency_ns: int, values: Sequence[tuple[int, bool]]
) -> bytes:
    """Pack what a sample recorded by expressions; it follows the sample's own row."""
    return b"".join(ROW.pack(*row) for row in value_rows(series, start_ns, latency_ns, values))


def pack_stream(series: int, start_ns: int, latency_ns: int, facts: tuple[int, int, int]) -> bytes:
    """Pack how the reply of a sample came piece by piece; it follows the sample's own row."""
    return ROW.pack(*stream_row(series, start_ns, latency_ns, *facts))


def pack_measures(
    series: int, start_ns: int, latency_ns: int, measured: Iterable[tuple[int, list[int]]]
) -> bytes:
    """Pack what a sample has of measures that its row doesn't hold; it follows that row.

    `measured` has the numbers of measures as `SampleWriter.measure` gave them.
    """
    rows = measure_rows(series, start_ns, latency_ns, measured)
    return b"".join(ROW.pack(*row) for row in rows)


pack_row: Callable[[int, int, int, int, int, int, int, int], bytes] = ROW.pack
"""Pack the fields of a `SampleRow`, in its order; with `append` 0.1 µs a sample."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Which samples are written; failures always are.

    Attributes:
        share: Of the successes, from 0 to 1.
    """

    share: float = 1.0


_KEEP_WORDS: Final = {"all": Keep(1.0), "failures": Keep(0.0), "none": None}


def parse_keep(text: str) -> Keep | None:
    """Read the plan's `samples:`, `all`, `failures` or `10%`; `none` gives None: write no file.

    Raises:
        UsageError: It is none of those.
    """
    if text in _KEEP_WORDS:
        return _KEEP_WORDS[text]
    with suppress(ValueError):
        percent = float(text.removesuffix("%"))
        if text.endswith("%") and 0 <= percent <= 100:
            return Keep(percent / 100)
    raise UsageError(
        f"cannot keep `{text}` of the samples", hint="write `all`, `failures`, `none` or `10%`"
    )


def write_keep(share: float) -> str:
    """Return `all`, `failures` or a percentage, as a plan writes which samples it keeps."""
    words = {1.0: "all", 0.0: "failures"}
    return words.get(share, f"{share * 100:g}%")


class SampleWriter:
    """Collects packed rows between two flushes and appends them to the file.

    The hot path calls `append(pack_row(…))`; the control plane calls `flush` several times a
    second, so the buffer never holds more than a fraction of a second. When a write fails, writing
    stops for good, `notice` says so, and the load goes on.

    Args:
        path: Of the row file; the other one has the suffix `.jsonl`.
        started_unix_ns: The wall-clock time of the run's start, since 1970 in UTC.
        seed: Chooses the successes that a share keeps.

    Attributes:
        append: Takes one packed row.
        has_streams: Whether samples may have rows of streams.
        notice: Why and since when nothing is written any more, empty while all is well.
        written: How many rows are in the file.

    Raises:
        CannotRun: The files cannot be created.
    """

    __slots__ = (
        "_draw",
        "_failing",
        "_file",
        "_has_values",
        "_measures",
        "_messages",
        "_names",
        "_new_lines",
        "_origin",
        "_rows",
        "_rows_file",
        "_series_known",
        "_share",
        "append",
        "has_streams",
        "notice",
        "written",
    )

    def __init__(
        self, path: Path, *, started_unix_ns: int, keep: Keep | None = None, seed: int | str = 0
    ) -> None:
        self._file = SampleFile(path, started_unix_ns, keep, str(seed))
        self._rows: list[bytes] = []
        self._messages: dict[str, int] = {}
        self._measures: dict[str, int] = {}
        self._series_known = 0
        self._failing: set[int] = set()
        self._has_values = self.has_streams = False
        self._share = 1.0 if keep is None else keep.share
        self._draw = random.Random(f"samples {seed}").random
        header = {
            "planrunner_samples": SAMPLES_VERSION,
            "started_unix_ns": started_unix_ns,
            "file": path.name,
            "share": self._share,
        }
        self._origin = origin_of(path, started_unix_ns)
        self._new_lines: list[str] = []
        self.append: Callable[[bytes], None] = self._rows.append
        self.notice = ""
        self.written = 0
        try:
            # Unbuffered: what a write took is in the file, what it refused never half arrives.
            self._rows_file: IO[bytes] = path.open("wb", buffering=0)
            self._names: IO[bytes] = path.with_suffix(".jsonl").open("wb", buffering=0)
            # At once: without it, nothing of a run that is killed early could be read.
            _write_all(self._names, f"{seal(header)}\n".encode("ascii"))
        except OSError as error:
            raise CannotRun(f"cannot write `{error.filename}`: {error.strerror}") from error

    def message(self, text: str) -> int:
        """Return the number that stands for a failure's words; 0 for none.

        Words beyond the 200th character and beyond 999 different texts are not kept.
        """
        if not text:
            return 0
        # Words from a reply may hold half a surrogate pair, which no text file takes.
        text = text[:_MAX_MESSAGE_LENGTH].encode("utf-8", "replace").decode()
        if text not in self._messages and len(self._messages) >= _MAX_MESSAGES - 1:
            text = _OTHER_MESSAGES
        number = self._messages.get(text)
        if number is None:
            number = self._messages[text] = len(self._messages) + 1
            self._new_lines.append(seal({"message": number, "text": text}))
        return number

    def flush(self, opened: Sequence[Series]) -> None:
        """Write what was appended since the last flush.

        Args:
            opened: `SeriesBook.opened`.
        """
        rows = self._rows[:]
        del self._rows[: len(rows)]
        if self.notice:
            return
        for series in opened[self._series_known :]:
            line = {"series": series.index, **asdict(series.labels)}
            self._new_lines.append(seal(line))
            if series.labels.failure:
                self._failing.add(series.index)
            self._has_values = self._has_values or bool(series.labels.records)
        self._series_known = len(opened)
        kept = rows if self._share >= 1 else self._kept(rows)
        self._write(_single(kept) if self._has_values else kept)

    def expect_streams(self) -> None:
        """Say that samples may have rows of streams; before the first of them."""
        if not self.has_streams:
            self.has_streams = self._has_values = True
            self._new_lines.append(seal({"streams": True}))

    def measure(self, word: str) -> int:
        """Return the number of a measure that samples have rows of; before the first of them."""
        number = self._measures.get(word)
        if number is None:
            number = self._measures[word] = len(self._measures)
            self._has_values = True
            self._new_lines.append(seal({"measure": number, "word": word}))
        return number

    def beside(self, worker: int) -> SampleFile:
        """Return where another worker of the same run writes its samples."""
        own = self._file
        path = own.path.with_stem(f"{own.path.stem}-{worker}")
        return replace(own, path=path, seed=f"{own.seed} {worker}")

    def reported(self, worker: int, rows: int) -> None:
        """Keep how many rows of another worker's file the result of the run is made of.

        What a worker wrote last, before it was killed, is in its file and in no metrics.
        """
        self._new_lines.append(seal({"worker": worker, "rows": rows}))

    def limited(self, names: Mapping[str, Sequence[str]]) -> None:
        """Keep which names of a template the result has, where workers together wrote more."""
        for template, kept in names.items():
            self._new_lines.append(seal({"template": template, "names": list(kept)}))

    def close(self) -> None:
        """Say that the files are complete, and close them; never fails. Flush before."""
        self._new_lines.append(seal({"end": self.written}))
        with suppress(OSError):  # the lack of an end says so
            self._write_lines()
        for file in (self._names, self._rows_file):
            with suppress(OSError):
                file.close()

    def _kept(self, rows: list[bytes]) -> list[bytes]:
        failing, draw, share = self._failing, self._draw, self._share
        series_of = int.from_bytes
        return [row for row in rows if series_of(row[:4], "little") in failing or draw() < share]

    def _write(self, rows: list[bytes]) -> None:
        if self._free_bytes() < _LEAST_FREE_BYTES:
            self.notice = (
                f"sampling stopped: less than 500 MB is free where `{self._rows_file.name}` is; "
                "later samples are missing from the raw file, not from the metrics"
            )
            return
        blocks = pack_blocks(rows, self.written, self._origin)
        begin = self._rows_file.tell()
        try:
            self._write_lines()
            _write_all(self._rows_file, b"".join(blocks))
            self.written += len(rows)
        except OSError as error:
            self.notice = (
                f"sampling stopped: cannot write `{self._rows_file.name}`: {error.strerror}; "
                "later samples are missing from the raw file, not from the metrics"
            )
            self._drop_torn_block(blocks, begin)

    def _write_lines(self) -> None:
        if self._new_lines:
            lines = "\n".join((*self._new_lines, ""))
            self._new_lines.clear()
            _write_all(self._names, lines.encode("ascii"))

    def _free_bytes(self) -> int:
        if not hasattr(os, "fstatvfs"):  # on Windows
            return _LEAST_FREE_BYTES
        found = os.fstatvfs(self._rows_file.fileno())
        return found.f_bavail * found.f_frsize

    def _drop_torn_block(self, blocks: Sequence[bytes], begin: int) -> None:
        with suppress(OSError):  # a reader ignores it as well
            room = self._rows_file.tell() - begin
            whole = 0
            while whole < len(blocks) and len(blocks[whole]) <= room:
                room -= len(blocks[whole])
                self.written += (len(blocks[whole]) - HEAD_BYTES) // ROW.size
                whole += 1
            os.ftruncate(self._rows_file.fileno(), self._rows_file.tell() - room)


@dataclass(frozen=True, slots=True)
class SampleFile:
    """What a `SampleWriter` is opened with, as a value that goes to another process."""

    path: Path
    started_unix_ns: int
    keep: Keep | None
    seed: str

    def open(self) -> SampleWriter:
        """Open it.

        Raises:
            CannotRun: The files cannot be created.
        """
        return SampleWriter(
            self.path, started_unix_ns=self.started_unix_ns, keep=self.keep, seed=self.seed
        )


def _single(rows: list[bytes]) -> list[bytes]:
    """Return rows one by one; a sample with values comes in one piece with them."""
    size = ROW.size
    return [row[at : at + size] for row in rows for at in range(0, len(row), size)]


def _write_all(file: IO[bytes], data: bytes) -> None:
    """Write to an unbuffered file until all is written; a nearly full disk takes only a part."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
