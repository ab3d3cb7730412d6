"""Raw samples as columns: their packed rows are taken apart, and merged, by Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import ROW, SampleRow

__all__ = ["row_columns"]

_GROUP: Final = 65_536
"""Rows whose columns are in memory at once, of each worker."""

_ENDED: Final = "ended_ns"

_TYPES: Final = {"I": "uint32", "q": "int64", "Q": "uint64", "H": "uint16"}
_BYTES: Final = {"I": 4, "q": 8, "Q": 8, "H": 2}


def row_columns(reader: SampleReader) -> Iterator[Any]:
    """Yield the rows of `SampleReader.tuples` as tables of Arrow, in the same order.

    Columns are the fields of `SampleRow`, whole numbers of 64 bits.
    """
    parts = [_columns_of(*part) for part in reader.parts()]
    return parts[0] if len(parts) == 1 else _merged(parts)


def _columns_of(reader: SampleReader, series: int, message: int) -> Iterator[Any]:
    """Yield the rows of one file; what is added to their numbers makes them the run's."""
    import pyarrow as pa  # noqa: PLC0415 - 180 MB that only this needs
    import pyarrow.compute as pc  # noqa: PLC0415 - as above

    known = {"series": pa.array(reader.labels), "message": pa.array(reader.messages)}
    known = {name: values.cast(pa.int64()) for name, values in known.items()}
    for packed in _in_groups(reader.packed()):
        table = _unpacked(pa, packed)
        for name, values in known.items():
            is_known = pc.is_in(table[name], values)
            if not pc.all(is_known).as_py():
                table = table.filter(is_known)
        if series:
            # As with rows: no message stays none.
            has_one = pc.sign(table["message"])
            shifts = {"series": series, "message": pc.multiply(has_one, message)}
            for name, by in shifts.items():
                place = table.schema.get_field_index(name)
                table = table.set_column(place, name, pc.add(table[name], by))
        yield table


def _in_groups(blocks: Iterable[bytes]) -> Iterator[bytes]:
    group: list[bytes] = []
    size = 0
    for block in blocks:
        group.append(block)
        size += len(block)
        if size >= _GROUP * ROW.size:
            yield b"".join(group)
            group, size = [], 0
    if group:
        yield b"".join(group)


def _unpacked(pa: Any, packed: bytes) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return packed rows as a table."""
    count = len(packed) // ROW.size
    rows = pa.Array.from_buffers(pa.binary(ROW.size), count, [None, pa.py_buffer(packed)])
    columns = {}
    begin = 0
    for name, code in zip(SampleRow._fields, ROW.format.lstrip("<"), strict=True):
        cut = pa.compute.binary_slice(rows, begin, begin + _BYTES[code])
        one = pa.Array.from_buffers(pa.type_for_alias(_TYPES[code]), count, cut.buffers())
        columns[name] = one.cast(pa.int64(), safe=False)
        begin += _BYTES[code]
    return pa.table(columns)


def _merged(parts: list[Iterator[Any]]) -> Iterator[Any]:
    """Merge tables as `heapq.merge` does rows, by when their samples ended."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.compute  # noqa: PLC0415 - as above

    sources = [source for source in map(_RowsOfFile, parts) if source.rows is not None]
    while any(source.rows.num_rows for source in sources):
        reading = [source.last_ns for source in sources if not source.is_over]
        due_ns = min(reading, default=None)
        due = pa.concat_tables([source.take(due_ns) for source in sources])
        # A stable sort: of rows that ended at once, those of the first file come first.
        yield due.take(pa.compute.sort_indices(due[_ENDED])).drop_columns(_ENDED)


class _RowsOfFile:
    """The rows of one file, each with when it ended; no row ends before those ahead of it.

    Attributes:
        rows: Those that are read and not taken; None while there are none.
        last_ns: When the last of them ended.
        is_over: Whether no others follow.
    """

    def __init__(self, tables: Iterator[Any]) -> None:
        self._tables = (table for table in tables if table.num_rows)
        self.rows: Any = None
        self.last_ns = 0
        self.is_over = False
        self._read()

    def take(self, due_ns: int | None) -> Any:  # noqa: ANN401 - pyarrow has no types
        """Return the rows that ended before `due_ns`, or all; read on if more may have ended then.

        At least one row stays until no others follow.
        """
        import pyarrow.compute  # noqa: PLC0415 - as above

        taken = self.rows
        if due_ns is None:
            self.rows = self.rows.slice(0, 0)
            return taken
        count = pyarrow.compute.sum(pyarrow.compute.less(taken[_ENDED], due_ns)).as_py() or 0
        self.rows = taken.slice(count)
        if self.last_ns == due_ns and not self.is_over:
            self._read()
        return taken.slice(0, count)

    def _read(self) -> None:
        import pyarrow as pa  # noqa: PLC0415 - as above

        table = next(self._tables, None)
        if table is None:
            self.is_over = True
            return
        add, latest = pa.compute.add, pa.compute.cumulative_max
        ended = latest(add(table["start_ns"], table["latency_ns"]), start=self.last_ns)
        self.last_ns = ended[-1].as_py()
        table = table.append_column(_ENDED, ended)
        self.rows = table if self.rows is None else pa.concat_tables([self.rows, table])
