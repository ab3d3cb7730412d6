"""Parquet files, written a row group at a time, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, BinaryIO, Final

from planrunner.data.tables import RowFault
from planrunner.data.writing.rows import FileFormat, WrittenRows, in_groups, plain_columns, unfit
from planrunner.data.writing.shapes import Kind, Shape, shape_of_column
from planrunner.extras import need

__all__ = ["PARQUET_FILE"]

_GROUP: Final = 65_536
"""Rows of a row group; their values are in memory at once."""


Columns = Sequence[Sequence[object]]


def _check(columns: Sequence[str]) -> None:
    del columns  # any name will do
    need("pyarrow", "a Parquet file")


def _write(file: BinaryIO, rows: WrittenRows) -> None:
    _check(rows.columns)
    import pyarrow.parquet  # noqa: PLC0415 - seldom used

    groups = in_groups(rows.blocks, _GROUP)
    first = plain_columns(next(groups), len(rows.columns))
    schema = _schema(rows.columns, first)
    writer = pyarrow.parquet.ParquetWriter(file, schema)
    try:
        count = _write_group(writer, schema, first, 1)
        for group in groups:
            count += _write_group(
                writer, schema, plain_columns(group, len(rows.columns)), count + 1
            )
    except BaseException:
        with suppress(Exception):  # the file is of no use, and must not be written to later
            writer.close()
        raise
    writer.close()


def _write_group(writer: Any, schema: Any, columns: Columns, first: int) -> int:  # noqa: ANN401 - pyarrow has no types
    """Write some rows, the first of which has this number; returns how many."""
    import pyarrow  # noqa: PLC0415 - seldom used

    try:
        arrays = [*map(pyarrow.array, columns, schema.types)]
    except (ValueError, TypeError, OverflowError) as error:
        raise _changed(columns, schema, (first, error)) from None
    writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
    return len(columns[0])


def _schema(names: Sequence[str], columns: Columns) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow  # noqa: PLC0415 - seldom used

    shapes = map(shape_of_column, names, columns)
    return pyarrow.schema([(name, _type(shape)) for name, shape in zip(names, shapes, strict=True)])


def _type(shape: Shape) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow  # noqa: PLC0415 - seldom used

    match shape.kind:
        case Kind.TRUTH:
            return pyarrow.bool_()
        case Kind.INTEGER:
            return pyarrow.int64()
        case Kind.NUMBER:
            return pyarrow.float64()
        case Kind.LIST if shape.item is not None:
            return pyarrow.list_(_type(shape.item))
        case Kind.RECORD if shape.fields:
            return pyarrow.struct([(name, _type(of)) for name, of in shape.fields.items()])
        case _:
            return pyarrow.string()


def _changed(columns: Columns, schema: Any, place: tuple[int, Exception]) -> RowFault:  # noqa: ANN401 - pyarrow has no types
    """Return the fault of the column that doesn't fit the kind of the first rows."""
    import pyarrow  # noqa: PLC0415 - seldom used

    first, error = place
    said = str(error)
    for each, column in zip(schema, columns, strict=True):
        try:
            pyarrow.array(column, each.type)
        except (ValueError, TypeError, OverflowError) as failed:
            said = f"the column `{each.name}` is {each.type}, and {failed}"
            break
    hint = "give the column values of one kind, such as with `| string` or `| float`"
    return RowFault(unfit(first, len(columns[0]), said).message, hint=hint)


PARQUET_FILE: Final = FileFormat("parquet", is_text=False, write=_write, check=_check)
