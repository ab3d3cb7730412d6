"""Frozen dataclasses to JSON and back, and their JSON Schema: all three from the types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

__all__ = ["BadShape", "decode", "encode", "schema_of"]

_DECIMALS: Final = 9
"""Of every float: a nanosecond, and the same text for the same result."""

_BEYOND: Final = 1e100
"""No float of a result comes near; beyond it arithmetic ends in infinity, as it does with NaN."""

_SCALARS: Final[Mapping[object, tuple[str, str]]] = {
    bool: ("boolean", "true or false"),
    int: ("integer", "a whole number"),
    float: ("number", "a number"),
    str: ("string", "text"),
}


class BadShape(ValueError):  # noqa: N818 - reads as the sentence it stands for
    """JSON that isn't what a type asks for; says where and what was expected."""


def encode(value: object) -> object:
    """Return `value` as JSON data: fields in their order, mappings sorted, floats rounded."""
    match value:
        case StrEnum():
            return value.value
        case float():
            return round(value, _DECIMALS)
        case Mapping():
            return {str(key): encode(value[key]) for key in sorted(value)}
        case tuple() | list():
            return [encode(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value


def decode(kind: Any, data: object, place: str = "$") -> Any:  # noqa: ANN401 - a type and its value
    """Build a value of type `kind` from what `encode` returned.

    Unknown keys are passed over and missing ones get their defaults, so that files of other
    versions of planrunner can be read as far as they agree.

    Raises:
        BadShape: `data` isn't of that type.
    """
    if kind in _SCALARS or get_origin(kind) is UnionType:
        return _scalar(kind, data, place)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind)[0], data, place)
    if get_origin(kind) is Mapping:
        item_kind = get_args(kind)[1]
        pairs = _object(data, place).items()
        return {key: decode(item_kind, item, f"{place}.{key}") for key, item in pairs}
    if is_dataclass(kind):
        return _decode_dataclass(kind, _object(data, place), place)
    if _is_enum(kind):
        return _decode_enum(kind, data, place)
    return data


def schema_of(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type
    """Return the JSON Schema of what `encode` makes of a `kind`; docstrings describe it."""
    if kind in _SCALARS:
        return {"type": _SCALARS[kind][0]}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": schema_of(get_args(kind)[0])}
    if get_origin(kind) is Mapping:
        return {"type": "object", "additionalProperties": schema_of(get_args(kind)[1])}
    if is_dataclass(kind):
        return _dataclass_schema(kind)
    if get_origin(kind) is UnionType:
        return {"type": [_SCALARS[get_args(kind)[0]][0], "null"]}
    return {"enum": [word.value for word in kind]} if _is_enum(kind) else {}


def _scalar(kind: Any, data: Any, place: str) -> object:  # noqa: ANN401 - a type and JSON
    if get_origin(kind) is UnionType:  # of a scalar and None
        return None if data is None else _scalar(get_args(kind)[0], data, place)
    # JSON has one type of number, Python counts bool as int.
    wanted = (int, float) if kind is float else kind
    if not isinstance(data, wanted) or (isinstance(data, bool) and kind is not bool):
        raise BadShape(f"{place} is not {_SCALARS[kind][1]}")
    if kind is not float:
        return data
    with suppress(OverflowError):  # a whole number beyond them
        if abs(number := float(data)) < _BEYOND:
            return number
    raise BadShape(f"{place} is out of range")


def _tuple(item_kind: Any, data: object, place: str) -> tuple[object, ...]:  # noqa: ANN401
    if item_kind is int and type(data) is list and set(map(type, data)) <= {int}:
        return tuple(data)  # tens of thousands of them: at the speed of C
    return tuple(decode(item_kind, item, f"{place}[{i}]") for i, item in _items(data, place))


def _items(data: object, place: str) -> enumerate[object]:
    if not isinstance(data, list):
        raise BadShape(f"{place} is not a list")
    return enumerate(data)


def _object(data: object, place: str) -> dict[str, object]:
    if not isinstance(data, dict):
        raise BadShape(f"{place} is not an object")
    return data


def _decode_dataclass(kind: Any, data: Mapping[str, object], place: str) -> object:  # noqa: ANN401
    hints = _hints(kind)
    values: dict[str, object] = {}
    for field in fields(kind):
        if field.name in data:
            values[field.name] = decode(
                hints[field.name], data[field.name], f"{place}.{field.name}"
            )
        elif _is_required(field):
            raise BadShape(f"{place}.{field.name} is missing")
    return kind(**values)


@cache  # evaluating them costs a hundred times what reading a value does
def _hints(kind: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a type
    return get_type_hints(kind)


def _is_enum(kind: Any) -> bool:  # noqa: ANN401 - a type
    return isinstance(kind, type) and issubclass(kind, StrEnum)


def _decode_enum(kind: type[StrEnum], data: object, place: str) -> StrEnum:
    try:
        return kind(str(data))
    except ValueError:
        words = ", ".join(word.value for word in kind)
        raise BadShape(f"{place} is `{data}`, expected one of {words}") from None


def _dataclass_schema(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type
    hints = get_type_hints(kind)
    summary, described = _documentation(kind)
    properties = {
        field.name: schema_of(hints[field.name])
        | ({"description": described[field.name]} if field.name in described else {})
        for field in fields(kind)
    }
    required = [field.name for field in fields(kind) if _is_required(field)]
    return {
        "type": "object",
        "description": summary,
        "properties": properties,
        "required": required,
    }


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _documentation(kind: Any) -> tuple[str, Mapping[str, str]]:  # noqa: ANN401 - a type
    """A docstring's first paragraph, and its `Attributes:` by name."""
    text, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("\nAttributes:\n")
    summary = " ".join(text.split("\n\n")[0].split())
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE)
    return summary, {name: " ".join(words.split()) for name, words in found}
