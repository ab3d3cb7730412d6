"""Messages to data for expressions and JSONPath: protobuf's JSON, in the words of the .proto file.

Two things differ from protobuf's own: fields have the names that they have in the file, and 64-bit
numbers are numbers, which nothing here rounds. Fields without a value are there with their default,
unless the message knows that they weren't set.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

__all__ = ["MessageReader"]

ReadField = Callable[[Any], Any]

_F: Final = FieldDescriptor
_SPECIAL: Final = frozenset(
    f"google.protobuf.{name}"
    for name in ("Timestamp", "Duration", "FieldMask", "Struct", "ListValue", "Value", "Any")
)
_WRAPPERS: Final = "google/protobuf/wrappers.proto"


class MessageReader:
    """Reads messages of one pool; what it takes to read a kind of message is found out once."""

    def __init__(self, pool: Any) -> None:  # noqa: ANN401 - protobuf has no types
        self._pool = pool
        self._known: dict[str, list[tuple[str, bool, ReadField]]] = {}

    def read(self, message: Any) -> Any:  # noqa: ANN401
        """Return a message as data."""
        descriptor = message.DESCRIPTOR
        if descriptor.full_name in _SPECIAL:
            return self._special(message)
        if descriptor.file.name == _WRAPPERS:
            return _reader_of(descriptor.fields_by_name["value"], self.read)(message.value)
        fields = self._known.get(descriptor.full_name)
        if fields is None:
            fields = self._known[descriptor.full_name] = [
                (field.name, field.has_presence, _reader_of(field, self.read))
                for field in descriptor.fields
            ]
        return {
            name: read(getattr(message, name))
            for name, has_presence, read in fields
            if not has_presence or message.HasField(name)
        }

    def _special(self, message: Any) -> Any:  # noqa: ANN401
        try:
            return json_format.MessageToDict(
                message, preserving_proto_field_name=True, descriptor_pool=self._pool
            )
        except (TypeError, ValueError):  # an `Any` with something unknown in it
            return {"@type": getattr(message, "type_url", "")}


def _reader_of(field: Any, read: ReadField) -> ReadField:  # noqa: ANN401
    kind = field.message_type
    if kind is not None and field.is_repeated and kind.GetOptions().map_entry:
        inner = _single(kind.fields_by_name["value"], read)
        return lambda found: {_key(key): inner(found[key]) for key in found}
    one = _single(field, read)
    return (lambda found: [one(item) for item in found]) if field.is_repeated else one


def _key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _single(field: Any, read: ReadField) -> ReadField:  # noqa: ANN401
    if field.type in (_F.TYPE_MESSAGE, _F.TYPE_GROUP):
        return read
    if field.type == _F.TYPE_BYTES:
        return lambda value: base64.b64encode(value).decode()
    if field.type == _F.TYPE_ENUM:
        names = {value.number: value.name for value in field.enum_type.values}
        return lambda value: names.get(value, value)
    if field.type == _F.TYPE_FLOAT:
        return lambda value: _shortest(value) if math.isfinite(value) else _not_finite(value)
    if field.type == _F.TYPE_DOUBLE:
        return lambda value: value if math.isfinite(value) else _not_finite(value)
    return lambda value: value


def _shortest(value: float) -> float:
    """Return the shortest number that is this one in 32 bits: 0.1, and not 0.10000000149."""
    packed = struct.pack("f", value)
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        try:
            if struct.pack("f", short) == packed:
                return short
        except OverflowError:
            break
    return value


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
