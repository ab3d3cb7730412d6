"""What a plan may say about a value in a reply's JSON: the value itself, or a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping
from planrunner.language.fields.types import Count, TextField, ValueField

__all__ = ["JsonExpectation", "Rule", "rule_shape", "shape"]


def shape(value: object) -> str:
    """Tell pydantic which arm of a union a value is for; the words never are keys of a plan."""
    if isinstance(value, Mapping | PlanMapping):
        return "<mapping>"
    return "<list>" if isinstance(value, list | tuple) else "<scalar>"


JsonType = Literal[
    "string", "number", "integer", "boolean", "array", "object", "null",
    "str", "float", "int", "bool", "list",
]  # fmt: skip


class Length(PlanMapping):
    """Bounds of a length."""

    min: Count | None = Field(None, description="The smallest accepted length.", examples=["1"])
    max: Count | None = Field(None, description="The largest accepted length.", examples=["100"])


class Rule(PlanMapping):
    """What a value must be; all parts of the rule must hold.

    `{}` and unknown words are errors, so that a literal object can't be taken for a rule.
    """

    nullable: ClassVar[frozenset[str]] = frozenset({"is"})

    is_: ValueField | None = Field(
        None,
        alias="is",
        description="The value, if it looks like a rule itself.",
        examples=["{type: object}"],
    )
    type: JsonType | None = Field(
        None,
        description="The JSON type of the value.",
        json_schema_extra={"type": ["string", "null"], "enum": [*get_args(JsonType), None]},
        examples=["array"],
    )
    min: ValueField | None = Field(
        None, description="The smallest accepted number.", examples=["1"]
    )
    max: ValueField | None = Field(
        None, description="The largest accepted number.", examples=["100"]
    )
    in_: list[ValueField] | None = Field(
        None,
        alias="in",
        min_length=1,
        description="The accepted values.",
        examples=["[done, failed]"],
    )
    matches: TextField | None = Field(
        None,
        description="A regular expression to find in the value.",
        examples=["^ws-[0-9]+$"],
    )
    exists: bool | None = Field(
        None, description="True: the value must be present; false: it must not.", examples=["false"]
    )
    length: (
        Annotated[
            Annotated[Count, Tag("<scalar>")] | Annotated[Length, Tag("<mapping>")],
            Discriminator(shape),
        ]
        | None
    ) = Field(
        None,
        description="Of a text, list or mapping: exactly, or `{min, max}`.",
        examples=["3", "{min: 1}"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        """Read `type: null`, which YAML takes for nothing, as the word it is."""
        if isinstance(data, Mapping) and "type" in data and data["type"] is None:
            return {**data, "type": "null"}
        return data

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if not data:
            yield Fault(
                Code.INVALID_VALUE,
                "an empty rule checks nothing",
                "write `{is: {}}` for an empty object",
            )


def rule_shape(value: object) -> str:
    return "<rule>" if isinstance(value, Mapping | PlanMapping) else "<literal>"


JsonExpectation = Annotated[
    Annotated[Rule, Tag("<rule>")] | Annotated[ValueField, Tag("<literal>")],
    Discriminator(rule_shape),
]
