"""Avro files: blocks of rows, between them a marker that comes from the seed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import BinaryIO, Final

from planrunner.data.tables import RowFault, first_line
from planrunner.data.writing.rows import FileFormat, WrittenRows, in_groups, plain_columns
from planrunner.data.writing.shapes import Kind, Shape, shape_of_column
from planrunner.extras import need

__all__ = ["AVRO_FILE"]

_FIRST: Final = 65_536
"""Rows that the types of the columns are taken from; their values are in memory at once."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCALARS: Final[Mapping[Kind, str]] = {
    Kind.NOTHING: "string",
    Kind.TRUTH: "boolean",
    Kind.INTEGER: "long",
    Kind.NUMBER: "double",
    Kind.TEXT: "string",
}


def _check(columns: Sequence[str]) -> None:
    need("fastavro", "an Avro file")
    _check_names(columns)


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            message = f"an Avro file can't have a column `{name}`"
            hint = "a name there is letters, digits and `_`, as `order_id`"
            raise RowFault(message, hint=hint)


def _write(file: BinaryIO, rows: WrittenRows) -> None:
    _check(rows.columns)
    import fastavro  # noqa: PLC0415 - seldom used

    groups = in_groups(rows.blocks, _FIRST)
    first = plain_columns(next(groups), len(rows.columns))
    shapes = map(shape_of_column, rows.columns, first)
    schema = _record(rows.name, dict(zip(rows.columns, shapes, strict=True)))
    others = (plain_columns(group, len(rows.columns)) for group in groups)
    counted = _Counted(rows.columns, chain((first,), others))
    try:
        fastavro.writer(file, schema, counted.records(), sync_marker=rows.marker)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        message = f"row {counted.row:,} can't be written: {first_line(error)}"
        hint = "give each column values of one kind, such as with `| string` or `| float`"
        raise RowFault(message, hint=hint) from None


class _Counted:
    """Rows as mappings, and which of them was the last."""

    def __init__(self, names: Sequence[str], groups: Iterable[Sequence[Sequence[object]]]) -> None:
        self._names = names
        self._groups = groups
        self.row = 0

    def records(self) -> Iterator[Mapping[str, object]]:
        names = self._names
        for columns in self._groups:
            for values in zip(*columns, strict=True):
                self.row += 1
                yield dict(zip(names, values, strict=True))


def _record(name: str, fields: Mapping[str, Shape]) -> dict[str, object]:
    _check_names([*fields])
    listed = [
        {"name": each, "type": ["null", _type(f"{name}_{each}", shape)]}
        for each, shape in fields.items()
    ]
    return {"type": "record", "name": name, "fields": listed}


def _type(name: str, shape: Shape) -> object:
    if shape.kind is Kind.LIST and shape.item is not None:
        return {"type": "array", "items": ["null", _type(name, shape.item)]}
    if shape.kind is Kind.RECORD:
        return _record(name, shape.fields)
    return _SCALARS[shape.kind]


AVRO_FILE: Final = FileFormat("avro", is_text=False, write=_write, check=_check)
