"""How values of a plan are read while they are right.

A type of a field becomes a function that takes what YAML gave. It returns what the value means, or
raises when that may be wrong: what is wrong, and whether anything is, pydantic decides. So most
plans never import it, which would take as long as all that is done with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NoReturn,
    Union,
    get_args,
    get_origin,
)

from planrunner.language.pausing import go_on

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

__all__ = [
    "AlsoWritten",
    "QuickReader",
    "ReadBy",
    "Unsure",
    "read_or_known",
    "reader_of",
    "reading_once",
]

QuickReader = Callable[[Any], Any]


class Unsure(ValueError):  # noqa: N818 - reads as the sentence it stands for
    """A value isn't known to be right."""

    @staticmethod
    def read(_value: object) -> NoReturn:
        """Read what only pydantic can.

        Raises:
            Unsure: Always.
        """
        raise Unsure


_KNOWN: ContextVar[dict[tuple[QuickReader, int], tuple[object, Any]] | None]
_KNOWN = ContextVar("_KNOWN", default=None)


@contextmanager
def reading_once() -> Iterator[None]:
    """Read a mapping once while the block lasts, in which no data changes.

    A plan that may be wrong is read several times: by pydantic, which asks for each mapping in a
    mapping, and without its faulty pieces, which leaves most of it as it was.
    """
    token = _KNOWN.set({})
    try:
        yield
    finally:
        _KNOWN.reset(token)


def read_or_known(data: object, read: QuickReader) -> Any:  # noqa: ANN401 - whatever that gives
    """Return what `read` makes of data; what it raises it raises each time."""
    known = _KNOWN.get()
    if known is None:
        return read(data)
    key = read, id(data)
    if key not in known:
        go_on()
        known[key] = data, read(data)  # the data too, or its id may come to mean other data
    return known[key][1]


class ReadBy:
    """Marks a type whose values `read` makes.

    Pydantic's own `PlainValidator` also builds a schema of the type itself, for serializing: that
    costs time at each start, and fails for types with annotations of their own.

    Args:
        read: Takes what the plan holds; raises what `language.fields.mapping.error` gives.
        schema: The JSON Schema of what `read` accepts; without it a `WithJsonSchema` must follow.

    Attributes:
        read: As given, for fields that hold such a value in a form of their own.
    """

    def __init__(
        self, read: Callable[[object], object], schema: Mapping[str, Any] | None = None
    ) -> None:
        self.read = read
        self._schema = schema or {}

    def reader(self, _inner: QuickReader) -> QuickReader:
        return self.read

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        from pydantic_core import core_schema  # noqa: PLC0415 - only where pydantic is asked

        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _core: object, _handler: object) -> dict[str, Any]:
        return dict(self._schema)


class AlsoWritten:
    """Adds a short form to the JSON Schema of a type whose validator accepts it."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    def reader(self, inner: QuickReader) -> QuickReader:
        return inner

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's own hook
        return {"anyOf": [handler(core), dict(self._schema)]}


def reader_of(kind: Any) -> QuickReader:  # noqa: ANN401 - a type
    """Return what reads values of a type; what only pydantic knows is read by nobody here."""
    if kind is Any:
        return _as_it_is
    if isinstance(kind, type):
        if kind in _EXACT:
            return _instance_of(kind)
        return getattr(kind, "read_quickly", Unsure.read)  # which mappings have
    make = _MAKERS.get(get_origin(kind))
    return Unsure.read if make is None else make(*get_args(kind))


_EXACT: Final = frozenset({bool, int, str})
"""Types of which a value must be, and of none below them."""


def _as_it_is(value: object) -> object:
    return value


def _instance_of(kind: type) -> QuickReader:
    def read(value: object) -> object:
        if type(value) is not kind:
            raise Unsure
        return value

    return read


def _annotated(kind: object, *marks: Any) -> QuickReader:  # noqa: ANN401 - whatever others say of a type
    arms = [mark.arms(kind) for mark in marks if hasattr(mark, "arms")]
    read = arms[0] if arms else reader_of(kind)
    for mark in marks:
        read = mark.reader(read) if hasattr(mark, "reader") else Unsure.read
    return read


def _union(*arms: object) -> QuickReader:
    """Return what reads a value by the arm that it has the type of."""
    others = [arm for arm in arms if arm is not NoneType]
    if len(others) == 1:
        read = reader_of(others[0])
    else:
        by_type = {get_origin(arm) or arm: reader_of(arm) for arm in others}
        is_plain = by_type.keys() <= {*_EXACT, list, dict} and len(by_type) == len(others)
        read = _by_type(by_type) if is_plain else Unsure.read
    if len(others) == len(arms):
        return read
    return lambda value: None if value is None else read(value)


def _by_type(readers: Mapping[object, QuickReader]) -> QuickReader:
    return lambda value: readers.get(type(value), Unsure.read)(value)


def _literal(*words: object) -> QuickReader:
    known = {(type(word), word) for word in words}

    def read(value: object) -> object:
        if type(value) not in _EXACT or (type(value), value) not in known:
            raise Unsure
        return value

    return read


def _list(kind: object) -> QuickReader:
    read = reader_of(kind)
    is_list = _instance_of(list)
    return lambda value: [read(item) for item in is_list(value)]


def _dict(key: object, kind: object) -> QuickReader:
    read_key, read = reader_of(key), reader_of(kind)
    is_dict = _instance_of(dict)
    return lambda value: {read_key(one): read(item) for one, item in is_dict(value).items()}


_MAKERS: Final[Mapping[object, Callable[..., QuickReader]]] = {
    Annotated: _annotated,
    Union: _union,
    UnionType: _union,
    Literal: _literal,
    list: _list,
    dict: _dict,
}
