"""What a plan may write under `expect:` and `extract:`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.functional_validators import AfterValidator
from pydantic_core import PydanticCustomError

from planrunner.language.diagnostics import Code
from planrunner.language.fields import TextField, ValueField

__all__ = [
    "EXTRACT_SOURCES",
    "Expect",
    "ExtractSpec",
    "JsonExpectation",
    "Rule",
    "SpecModel",
    "fault",
    "shape",
]


class SpecModel(BaseModel):
    """A mapping in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def fault(code: Code, message: str, hint: str = "") -> PydanticCustomError:
    """Return an error that the plan loader turns into a diagnostic with this code."""
    context = {"hint": hint, "message": message}
    return PydanticCustomError(code.value, "{message}", context)


def shape(value: object) -> str:
    """Tell pydantic which arm of a union a value is for; the words never are keys of a plan."""
    if isinstance(value, Mapping | BaseModel):
        return "<mapping>"
    return "<list>" if isinstance(value, list | tuple) else "<scalar>"


# -- statuses ------------------------------------------------------------------------------

_STATUS_CLASS: Final = re.compile(r"[1-5](?:xx|XX|\*)")


def _check_status(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
        return value
    if isinstance(value, str) and (_STATUS_CLASS.fullmatch(value) or "${" in value):
        return value
    raise fault(
        Code.INVALID_VALUE,
        f"`{value}` is not a status",
        "write a code such as `200`, a class such as `2xx`, or a list of them",
    )


Status = Annotated[
    int | str,
    AfterValidator(_check_status),
    Field(json_schema_extra={"pattern": r"^([1-5](xx|XX|\*)|.*\$\{.*)$", "minimum": 100}),
]


def _status_shape(value: object) -> str:
    return "<list>" if isinstance(value, list | tuple) else "<scalar>"


Statuses = Annotated[
    Annotated[Status, Tag("<scalar>")]
    | Annotated[list[Status], Field(min_length=1), Tag("<list>")],
    Discriminator(_status_shape),
]

# -- rules ---------------------------------------------------------------------------------

JsonType = Literal[
    "string", "number", "integer", "boolean", "array", "object", "null",
    "str", "float", "int", "bool", "list",
]  # fmt: skip


class Length(SpecModel):
    """Bounds of a length."""

    min: int | None = Field(None, ge=0, description="The least length that holds.")
    max: int | None = Field(None, ge=0, description="The greatest length that holds.")


class Rule(SpecModel):
    """What a value must be; all that is written must hold.

    `{}` and unknown words are errors, so that a literal object can't be taken for a rule.
    """

    is_: ValueField | None = Field(
        None, alias="is", description="The value, when it looks like a rule itself."
    )
    type: JsonType | None = Field(None, description="The JSON type of the value.")
    min: ValueField | None = Field(None, description="The least number that holds.")
    max: ValueField | None = Field(None, description="The greatest number that holds.")
    in_: list[ValueField] | None = Field(
        None, alias="in", min_length=1, description="The values that hold."
    )
    matches: TextField | None = Field(
        None, description="A regular expression that is found in the value."
    )
    exists: bool | None = Field(None, description="True: the value is there; false: it is not.")
    length: (
        Annotated[
            Annotated[int, Field(ge=0), Tag("<scalar>")] | Annotated[Length, Tag("<mapping>")],
            Discriminator(shape),
        ]
        | None
    ) = Field(None, description="Of a text, list or mapping: exactly, or `{min, max}`.")

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if not self.model_fields_set:
            raise fault(
                Code.INVALID_VALUE,
                "an empty rule says nothing",
                "write `{is: {}}` for an empty object",
            )
        return self


def _rule_shape(value: object) -> str:
    return "<rule>" if isinstance(value, Mapping | Rule) else "<literal>"


JsonExpectation = Annotated[
    Annotated[Rule, Tag("<rule>")] | Annotated[ValueField, Tag("<literal>")],
    Discriminator(_rule_shape),
]

# -- expect --------------------------------------------------------------------------------

ExpectationName = Literal["status", "time", "json", "header", "contains", "matches", "schema"]

Texts = Annotated[
    Annotated[TextField, Tag("<scalar>")]
    | Annotated[list[TextField], Field(min_length=1), Tag("<list>")],
    Discriminator(_status_shape),
]


class Expect(SpecModel):
    """Which replies are acceptable; without `status` any 2xx or 3xx is."""

    status: Statuses | None = Field(
        None, description="`200`, a class `2xx`, or a list of them. Default: 2xx and 3xx."
    )
    time: TextField | None = Field(
        None,
        description="The latency that holds, such as `< 1s`.",
        json_schema_extra={
            "pattern": r"^<=?\s*(\d.*|\$\{.*)$",
            "patternErrorMessage": "write a limit such as `< 500ms`",
        },
    )
    json_: dict[str, JsonExpectation] | None = Field(
        None,
        alias="json",
        min_length=1,
        description="JSONPath to the value or the rule it must meet.",
    )
    header: dict[str, JsonExpectation] | None = Field(
        None, min_length=1, description="Header name to its value or a rule."
    )
    contains: Texts | None = Field(None, description="Text that is in the body.")
    matches: Texts | None = Field(None, description="Regular expression found in the body.")
    schema_: TextField | None = Field(
        None, alias="schema", description="File with the JSON Schema that the body meets."
    )
    soft: bool | list[ExpectationName] | None = Field(
        None,
        description="True, or the names of expectations that only warn when they fail.",
    )


# -- extract -------------------------------------------------------------------------------

EXTRACT_SOURCES: Final = ("jsonpath", "regex", "css", "xpath", "header", "cookie")


class ExtractSpec(SpecModel):
    """Where in the reply a variable's value is."""

    jsonpath: TextField | None = Field(None, description="JSONPath into the body: `$.items[0].id`.")
    regex: TextField | None = Field(
        None, description="Regular expression over the body; group 1, or all of it."
    )
    css: TextField | None = Field(
        None, description="CSS selector; ends in `::text` or `::attr(name)` for less."
    )
    xpath: TextField | None = Field(None, description="XPath over the HTML or XML body.")
    header: TextField | None = Field(None, description="Name of a reply header.")
    cookie: TextField | None = Field(None, description="Name of a cookie that the reply sets.")
    index: Literal["first", "last", "random", "all"] = Field(
        "first", description="Which of several matches; `all` gives the list."
    )
    default: ValueField | None = Field(None, description="The value when nothing matches.")
    required: bool = Field(
        default=True,
        description="False: without a match the variable stays as it is. True: the request fails.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> ExtractSpec:
        given = [name for name in EXTRACT_SOURCES if name in self.model_fields_set]
        if len(given) == 1:
            return self
        sources = ", ".join(f"`{name}`" for name in EXTRACT_SOURCES)
        if not given:
            raise fault(
                Code.MISSING_KEY, "nothing says where the value is", f"add one of {sources}"
            )
        raise fault(
            Code.CONFLICTING_KEYS,
            " and ".join(f"`{name}`" for name in given) + " can't both say where the value is",
            "keep one of them",
        )
