"""What a value of a plan may be, and what its keys mean: the schema, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from planrunner.plan.schema.json_schema import defaults_schema, documented_schema
from planrunner.plan.schema.marks import EXPRESSION, LOOP

__all__ = ["ValueShape", "shape_of_defaults", "shape_of_plan"]

JsonSchema = Mapping[str, Any]

_ROOT: Final = "Plan"
_ANY: Final = "*"


class ValueShape:
    """What a value may be at one place.

    Attributes:
        slot: The place by the names of the schema: `Step.extract`, `Plan.users.*`.
        about: What the schema says about the key that it belongs to.
        names: The mappings that may stand here, as the schema calls them.
    """

    def __init__(
        self, definitions: JsonSchema, found: list[tuple[str, JsonSchema]], slot: str
    ) -> None:
        self._definitions = definitions
        self.slot = slot
        self.about: JsonSchema = found[0][1] if found else {}
        self.arms = [arm for name, schema in found for arm in self._arms(name, schema)]
        self.names = [name for name, arm in self.arms if name and "properties" in arm]
        self._children: dict[str, ValueShape] = {}
        self._item: ValueShape | None = None

    def _arms(self, name: str, schema: JsonSchema) -> Iterator[tuple[str, JsonSchema]]:
        if "$ref" in schema:
            short = schema["$ref"].rpartition("/")[2]
            yield from self._arms(short, self._definitions[short])
        elif "anyOf" in schema and "properties" not in schema:
            for arm in schema["anyOf"]:
                yield from self._arms(name, arm)
        else:
            yield name, schema

    @property
    def is_expression(self) -> bool:
        """Whether a text here is an expression without `${…}`."""
        return any(arm.get(EXPRESSION) for _, arm in self.arms)

    @property
    def is_loop(self) -> bool:
        """Whether a text here is `NAME in EXPRESSION`."""
        return any(arm.get(LOOP) for _, arm in self.arms)

    @property
    def is_list(self) -> bool:
        return any("items" in arm for _, arm in self.arms)

    def keys(self) -> dict[str, JsonSchema]:
        """Return what is known of each key that a mapping here can have."""
        return {key: about for _, arm in self.arms for key, about in _properties(arm).items()}

    def child(self, key: str) -> ValueShape:
        """Return what may stand at a key; anything where the schema knows none."""
        named = [
            (name, _properties(arm)[key]) for name, arm in self.arms if key in _properties(arm)
        ]
        known = key if named else _ANY  # keys that people choose share one: they have no end
        if known not in self._children:
            owner = next((name for name, _ in named), "") or self.slot
            schemas = [schema for _, schema in named] or [
                arm["additionalProperties"]
                for _, arm in self.arms
                if isinstance(arm.get("additionalProperties"), dict)
            ]
            found = [("", schema) for schema in schemas]
            self._children[known] = ValueShape(self._definitions, found, f"{owner}.{known}")
        return self._children[known]

    def item(self) -> ValueShape:
        """Return what the items of a list here may be."""
        if self._item is None:
            found = [
                ("", arm["items"]) for _, arm in self.arms if isinstance(arm.get("items"), dict)
            ]
            self._item = ValueShape(self._definitions, found, f"{self.slot}[]")
        return self._item

    def at(self, path: tuple[str | int, ...]) -> ValueShape:
        """Return what may stand at the end of a path."""
        shape = self
        for part in path:
            shape = shape.item() if isinstance(part, int) else shape.child(part)
        return shape


def _properties(arm: JsonSchema) -> Mapping[str, JsonSchema]:
    found: Mapping[str, JsonSchema] = arm.get("properties", {})
    return found


@cache
def shape_of_plan() -> ValueShape:
    """Return what a plan may be."""
    return _shape(documented_schema())


@cache
def shape_of_defaults() -> ValueShape:
    """Return what `planrunner.yaml` may be."""
    return _shape(defaults_schema())


def _shape(schema: dict[str, Any]) -> ValueShape:
    definitions = schema.pop("definitions")
    return ValueShape(definitions, [(_ROOT, schema)], "")
