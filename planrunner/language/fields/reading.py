"""Fields whose value is made by one function, whatever the plan holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import CoreSchema, core_schema

__all__ = ["AlsoWritten", "ReadBy"]


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

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _core: object, _handler: object) -> dict[str, Any]:
        return dict(self._schema)


class AlsoWritten:
    """Adds a short form to the JSON Schema of a type whose validator accepts it."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's own hook
        return {"anyOf": [handler(core), dict(self._schema)]}
