"""What the values of a column have in common, for files whose columns have types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import StrEnum
from functools import reduce
from typing import Final

from planrunner.data.tables import RowFault
from planrunner.language.expressions.values import kind_of
from planrunner.values import dataclass

__all__ = ["Kind", "Shape", "shape_of_column"]


class Kind(StrEnum):
    NOTHING = "null"
    TRUTH = "true or false"
    INTEGER = "whole numbers"
    NUMBER = "numbers"
    TEXT = "text"
    LIST = "lists"
    RECORD = "mappings"


@dataclass(frozen=True, slots=True)
class Shape:
    """A type that all values fit; each may be null too.

    Attributes:
        item: Of the items of lists.
        fields: Of what mappings have.
    """

    kind: Kind
    item: Shape | None = None
    fields: Mapping[str, Shape] = field(default_factory=dict)


_NOTHING: Final = Shape(Kind.NOTHING)
_SCALARS: Final[Mapping[type, Shape]] = {
    type(None): _NOTHING,
    bool: Shape(Kind.TRUTH),
    int: Shape(Kind.INTEGER),
    float: Shape(Kind.NUMBER),
    str: Shape(Kind.TEXT),
}


def shape_of_column(name: str, values: Iterable[object]) -> Shape:
    """Return what the values fit.

    Raises:
        RowFault: They are of several kinds.
    """
    kept = [*values]
    kinds = set(map(type, kept))
    shapes = [_SCALARS[kind] for kind in kinds] if kinds <= _SCALARS.keys() else map(_shape, kept)
    try:
        return reduce(_joined, shapes, _NOTHING)
    except RowFault as fault:
        hint = "give the column values of one kind, such as with `| string` or `| float`"
        raise RowFault(f"the column `{name}` has {fault.message}", hint=hint) from None


def _shape(value: object) -> Shape:
    if (found := _SCALARS.get(type(value))) is not None:
        return found
    if isinstance(value, Mapping):
        return Shape(Kind.RECORD, fields={str(key): _shape(item) for key, item in value.items()})
    if isinstance(value, list):
        return Shape(Kind.LIST, reduce(_joined, map(_shape, value), _NOTHING))
    raise RowFault(kind_of(value))


def _joined(one: Shape, other: Shape) -> Shape:
    """Return what fits both.

    Raises:
        RowFault: Nothing does.
    """
    if one == other or other.kind is Kind.NOTHING:
        return one
    if one.kind is Kind.NOTHING:
        return other
    if {one.kind, other.kind} == {Kind.INTEGER, Kind.NUMBER}:
        return Shape(Kind.NUMBER)
    if one.kind is not other.kind:
        raise RowFault(f"{one.kind} as well as {other.kind}")
    if one.kind is Kind.LIST and one.item is not None and other.item is not None:
        return Shape(Kind.LIST, _joined(one.item, other.item))
    names = {**one.fields, **other.fields}
    return Shape(
        Kind.RECORD,
        fields={
            name: _joined(one.fields.get(name, _NOTHING), other.fields.get(name, _NOTHING))
            for name in names
        },
    )
