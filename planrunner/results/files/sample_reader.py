"""Reads what sample writers wrote, however they ended, and counts what is lost of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import merge
from itertools import repeat
from pathlib import Path
from typing import Final

from planrunner.errors import CannotRun, UsageError
from planrunner.metrics.limited_words import OTHER
from planrunner.metrics.series import Labels
from planrunner.results.files.codec import BadShape, decode
from planrunner.results.files.sample_blocks import (
    HEAD_BYTES,
    SampleBlock,
    origin_of,
    read_blocks,
    unseal,
)
from planrunner.results.files.sample_values import (
    VALUES_MARK,
    WholeSample,
    joined_values,
)
from planrunner.results.files.samples import (
    READABLE_VERSIONS,
    ROW,
    SAMPLES_VERSION,
    SampleRow,
)
from planrunner.units import format_count
from planrunner.values import dataclass

__all__ = ["SampleLoss", "SampleReader", "labels_of", "worker_files"]


@dataclass(frozen=True, slots=True)
class SampleLoss:
    """What the files no longer hold of the samples that were taken.

    Attributes:
        rows: How many samples, at least.
        total: How many there were, at least.
        files: Which files are damaged, cut off or gone.
        is_exact: Whether the two numbers are known, and not the least possible ones.
        has_values: Whether they count rows of values as well, of which a sample may have several.
    """

    rows: int = 0
    total: int = 0
    files: tuple[str, ...] = ()
    is_exact: bool = True
    has_values: bool = False

    def __bool__(self) -> bool:
        return bool(self.files)

    def __str__(self) -> str:
        names = ", ".join(f"`{name}`" for name in self.files)
        are = "is" if len(self.files) == 1 else "are"
        why = f"{names} {are} damaged, cut off or gone"
        of_samples = " of samples and their values" if self.has_values else ""
        noun = "row" if self.has_values else "sample"
        if self.is_exact:
            return f"{self.rows:,} of {format_count(self.total, noun)}{of_samples} are lost: {why}"
        if self.rows:
            return f"at least {format_count(self.rows, noun)}{of_samples} are lost: {why}"
        return f"samples may be lost, and their number is not known: {why}"

    def and_also(self, other: SampleLoss) -> SampleLoss:
        return SampleLoss(
            self.rows + other.rows,
            self.total + other.total,
            (*self.files, *other.files),
            self.is_exact and other.is_exact,
            self.has_values or other.has_values,
        )


class SampleReader:
    """Reads what a `SampleWriter` wrote; the rows are streamed.

    Those that workers wrote beside it belong to the same run, and are read as if in one file.

    Args:
        path: Of the row file.
        most: How many of its rows to read: those that the run's result is made of. All if None.

    Attributes:
        share: Of the successes that were to be kept, from 0 to 1.
        started_unix_ns: The wall-clock time of the run's start, since 1970 in UTC.
        labels: Of each series, by its index.
        messages: By number; 0 is the empty text.
        workers: Which worker wrote each series, from 1.
        has_streams: Whether some samples may say how their replies came.
        measures: The words of measures that samples may have rows of.

    Raises:
        UsageError: The files are missing, or of another version.
        CannotRun: What says what the rows mean is missing or broken from its beginning.
    """

    __slots__ = (
        "_are_lines_whole",
        "_end",
        "_gone",
        "_limited",
        "_most",
        "_numbered",
        "_others",
        "_path",
        "_reported",
        "has_streams",
        "labels",
        "measures",
        "messages",
        "share",
        "started_unix_ns",
        "workers",
    )

    def __init__(self, path: Path, *, most: int | None = None) -> None:
        self._path = path
        self._most = most
        self._end: int | None = None
        self._reported: dict[int, int] = {}
        self._limited: dict[str, frozenset[str]] = {}
        self._are_lines_whole = True
        self.has_streams = False
        self.measures: set[str] = set()
        self._numbered: dict[int, str] = {}
        self.labels: dict[int, Labels] = {}
        self.messages: dict[int, str] = {0: ""}
        self._read_lines(path)
        self.workers = dict.fromkeys(self.labels, 1)
        # Each with what its numbers are shifted by.
        self._others: list[tuple[SampleReader, int, int]] = []
        self._gone: list[SampleLoss] = []
        for number, beside in self._beside():
            self._add(beside, number, self._reported.get(number))

    def _beside(self) -> Iterator[tuple[int, Path]]:
        """Yield the files of other workers: those that are there, and those that should be."""
        path = self._path
        found = {number: beside for beside, number in worker_files(path)}
        due = {
            number: path.with_stem(f"{path.stem}-{number}")
            for number, rows in self._reported.items()
            if rows
        }
        yield from sorted((due | found).items())

    def _add(self, path: Path, worker: int, most: int | None) -> None:
        try:
            other = SampleReader(path, most=most)
        except (CannotRun, UsageError):
            rows, name = most or 0, path.with_suffix(".jsonl").name
            self._gone.append(SampleLoss(rows, rows, (name,), is_exact=most is not None))
            return
        series, messages = max(self.labels, default=-1) + 1, max(self.messages)
        self._others.append((other, series, messages))
        self.has_streams = self.has_streams or other.has_streams
        self.measures |= other.measures
        self.labels |= {
            series + number: self._as_kept(labels) for number, labels in other.labels.items()
        }
        self.workers |= {series + number: worker for number in other.labels}
        self.messages |= {
            messages + number: text for number, text in other.messages.items() if number
        }

    def _as_kept(self, labels: Labels) -> Labels:
        """Return labels as the result of the run has them, which keeps a number of names."""
        kept = self._limited.get(labels.template, frozenset())
        if not kept or labels.request in kept or labels.request == labels.template:
            return labels
        return replace(labels, request=OTHER)

    def __iter__(self) -> Iterator[SampleRow]:
        return map(SampleRow._make, self.tuples())

    def tuples(self) -> Iterator[tuple[int, ...]]:
        """Yield the fields of each `SampleRow` as a bare tuple: three times as fast.

        What is damaged is left out, rows whose series or message is damaged too: `loss` counts it.
        """
        if not self._others:
            return self._rows()
        others = (_shifted(other, *by) for other, *by in self._others)
        return merge(self._rows(), *others, key=_ended_ns)

    def parts(self) -> Iterator[tuple[SampleReader, int, int]]:
        """Yield the reader of each file, with what makes its series and messages the run's."""
        yield self, 0, 0
        yield from self._others

    def packed(self) -> Iterator[bytes]:
        """Yield the rows of this file as `ROW` packs them, damaged and beside samples too."""
        for block in self._blocks():
            yield block.payload[: (_rows_in(block) - self._beyond(block)) * ROW.size]

    @property
    def most_rows(self) -> int:
        """How many rows there are at most, by the size of the files."""
        return sum(_size_of(part._path) // ROW.size for part, *_ in self.parts())  # noqa: SLF001

    def with_values(self) -> Iterator[WholeSample]:
        """Yield what `tuples` does, each with what the sample has beside its row."""
        if not self.has_values:
            return zip(self.tuples(), repeat(()), repeat(()), repeat(()), strict=False)
        own = joined_values(self._rows(with_values=True), self._numbered)
        if not self._others:
            return own
        others = (_shifted_samples(other, *by) for other, *by in self._others)
        return merge(own, *others, key=lambda sample: _ended_ns(sample[0]))

    @property
    def recorded(self) -> tuple[str, ...]:
        """The measures that expressions of the plan gave, in the order of their names."""
        return tuple(sorted({word for labels in self.labels.values() for word in labels.records}))

    @property
    def has_values(self) -> bool:
        """Whether samples may have rows beside their own."""
        return bool(self.recorded or self.has_streams or self.measures)

    def loss(self, *, is_over: bool) -> SampleLoss:
        """Look through the files for what is lost; true if anything is.

        Args:
            is_over: The run came to its end, so that files without an end are cut off. One that
                was killed leaves such files, and nothing is lost of what it had written.
        """
        found = self._own_loss(is_over=is_over)
        for other, *_ in self._others:
            found = found.and_also(other.loss(is_over=is_over))
        for gone in self._gone:
            found = found.and_also(gone)
        return found

    def left_out(self) -> int:
        """Return how many samples workers wrote that the result of the run is not made of."""
        left = (row for block in self._blocks() for row in self._left(block))
        own = 0 if self._most is None else sum(row[7] != VALUES_MARK for row in left)
        return own + sum(other.left_out() for other, *_ in self._others)

    def _own_loss(self, *, is_over: bool) -> SampleLoss:
        size = rows = following = 0
        for block in self._blocks():
            size += HEAD_BYTES + len(block.payload)
            rows += _rows_in(block) - self._beyond(block)
            following = block.first + _rows_in(block)
        kept = rows if self._are_lines_whole else sum(1 for _ in self._rows(with_values=True))
        expected = self._end if self._most is None else self._most
        total = max(following if expected is None else expected, kept)
        files = []
        if rows < total or (expected is None and size != _size_of(self._path)):
            files.append(self._path.name)
        if kept < rows or (is_over and (expected is None or not self._are_lines_whole)):
            files.append(self._path.with_suffix(".jsonl").name)
        is_exact = expected is not None and kept < total
        return SampleLoss(
            total - kept,
            total,
            tuple(files),
            is_exact or not files,
            self.has_values,
        )

    def _blocks(self) -> Iterator[SampleBlock]:
        return read_blocks(self._path, origin_of(self._path, self.started_unix_ns))

    def _beyond(self, block: SampleBlock) -> int:
        """Return how many rows of a block the result of the run is not made of."""
        if self._most is None:
            return 0
        return max(_rows_in(block) - max(self._most - block.first, 0), 0)

    def _left(self, block: SampleBlock) -> Iterator[tuple[int, ...]]:
        rows = _rows_in(block) - self._beyond(block)
        return ROW.iter_unpack(memoryview(block.payload)[rows * ROW.size :])

    def _rows(self, *, with_values: bool = False) -> Iterator[tuple[int, ...]]:
        labels, messages = self.labels, self.messages
        if with_values:
            messages = {**messages, VALUES_MARK: ""}
        for payload in self.packed():
            for row in ROW.iter_unpack(payload):
                if row[0] in labels and row[7] in messages:
                    yield row

    def _read_lines(self, path: Path) -> None:
        try:
            data = path.with_suffix(".jsonl").read_bytes()
        except OSError as error:
            words = f"cannot read the samples of `{path}`: {error}"
            # Beside samples, it is not the wrong place: what they mean is gone.
            raise (CannotRun if path.exists() else UsageError)(words) from error
        header, *lines = data.split(b"\n")
        self.started_unix_ns, self.share = self._read_header(header)
        if lines.pop() if lines else b"":
            self._are_lines_whole = False
        for number, line in enumerate(lines, 2):
            if (entry := unseal(line)) is None:
                self._are_lines_whole = False
                continue
            try:
                self._read_line(entry)
            except BadShape as error:
                place = f"{path.with_suffix('.jsonl')}:{number}"
                hint = "put the file back as the run wrote it"
                raise UsageError(f"`{place}` is broken: {error}", hint=hint) from error

    def _read_header(self, line: bytes) -> tuple[int, float]:
        version = _version(line)
        if version is not None and version not in READABLE_VERSIONS:
            raise UsageError(
                f"the samples of `{self._path}` have format {version}, expected {SAMPLES_VERSION}",
                hint="read them with the planrunner that wrote them",
            )
        match unseal(line):
            case {
                "started_unix_ns": int(started),
                "file": self._path.name,
                "share": int() | float() as share,
            } if version and 0 <= started < _LATEST_NS and 0 <= share <= 1:
                return started, share
            case _:
                raise CannotRun(f"`{self._path}` has no samples: its header is broken")

    def _read_line(self, entry: dict[str, object]) -> None:
        """Keep what a line says.

        Raises:
            BadShape: It is another program's, although its checksum holds.
        """
        match entry:
            case {"message": int(number), "text": str(text)} if 0 <= number <= _MOST_NUMBER:
                self.messages[number] = text
            case {"worker": int(worker), "rows": int(rows)} if rows >= 0:
                self._reported[worker] = rows
            case {"end": int(rows)} if rows >= 0:
                self._end = rows
            case {"streams": bool(has_streams)}:
                self.has_streams = has_streams
            case {"measure": int(number), "word": str(word)}:
                self._numbered[number] = word
                self.measures.add(word)
            case {"template": str(template), "names": list(names)}:
                self._limited[template] = frozenset(map(str, names))
            case {"series": int(index), **labels} if 0 <= index <= _MOST_NUMBER:
                self.labels[index] = labels_of(labels)
            case _:
                raise BadShape("no line of samples is like this")


_MOST_NUMBER: Final = (1 << 32) - 1
"""Of a series or a message: no row can have a greater one."""

_LATEST_NS: Final = 1 << 63
"""Since 1970: the year 2262. Rows add as much again, and no date is later than the year 9999."""


def worker_files(path: Path) -> Iterator[tuple[Path, int]]:
    """Yield the files that other workers wrote beside that of the first, each with its number."""
    for beside in sorted(path.parent.glob(f"{path.stem}-*{path.suffix}")):
        number = beside.stem.rpartition("-")[2]
        if number.isdecimal():
            yield beside, int(number)


def labels_of(data: object) -> Labels:
    """Return the labels of a series from its line.

    Raises:
        BadShape: They are something else.
    """
    labels: Labels = decode(Labels, data)
    if any(len(tag) != len(("key", "value")) for tag in labels.tags):
        raise BadShape("$.tags are not pairs")
    return labels


_HEADER_KEY: Final = b'{"planrunner_samples": '


def _version(line: bytes) -> int | None:
    """Return the version in a header of any version; None in what is no header."""
    if not line.startswith(_HEADER_KEY):
        return None
    digits = line.removeprefix(_HEADER_KEY).partition(b",")[0]
    return int(digits) if digits.isdigit() and len(digits) < 10 else None


def _rows_in(block: SampleBlock) -> int:
    return len(block.payload) // ROW.size


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _shifted(reader: SampleReader, series: int, message: int) -> Iterator[tuple[int, ...]]:
    for row in reader.tuples():
        yield (row[0] + series, *row[1:7], row[7] and row[7] + message)


def _shifted_samples(reader: SampleReader, series: int, message: int) -> Iterator[WholeSample]:
    for row, values, stream, measured in reader.with_values():
        yield (row[0] + series, *row[1:7], row[7] and row[7] + message), values, stream, measured


def _ended_ns(row: tuple[int, ...]) -> int:
    return row[1] + row[2]
