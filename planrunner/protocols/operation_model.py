"""The base of what a plan writes below `name.action`: the keys that every protocol's steps have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol, TypeAlias

from pydantic import Discriminator, Field, Tag

from planrunner.language.fields.mapping import PlanMapping
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import (
    Duration,
    Flag,
    SeriesName,
    TextField,
    ValueField,
    VariableName,
)

__all__ = [
    "Extraction",
    "Extractions",
    "OperationModel",
    "RequestModel",
    "TagsField",
    "secret_extractions",
]


def _tags_shape(value: object) -> str:
    return "<mapping>" if isinstance(value, dict) else "<list>"


TagsField: TypeAlias = Annotated[
    Annotated[list[str], Tag("<list>")] | Annotated[dict[str, ValueField], Tag("<mapping>")],
    Discriminator(_tags_shape),
]


class Extraction(PlanMapping):
    """Where in a reply a variable's value is, and whether it may be shown."""

    jsonpath: TextField = Field(
        description="JSONPath into the reply: `$.kvs[0].value`.", examples=["$.kvs[0].value"]
    )
    secret: bool = Field(
        default=False,
        description="Mask the value wherever it would appear from then on.",
        examples=["true"],
    )


def _extraction_shape(value: object) -> str:
    return "<mapping>" if isinstance(value, dict | Extraction) else "<scalar>"


Extractions: TypeAlias = dict[
    VariableName,
    Annotated[
        Annotated[TextField, Tag("<scalar>")] | Annotated[Extraction, Tag("<mapping>")],
        Discriminator(_extraction_shape),
    ],
]
"""Variables to take from a reply, each with where it is found: a JSONPath."""


def secret_extractions(extract: Mapping[str, Text | Extraction] | None) -> tuple[str, ...]:
    """Return the names whose values must not be shown."""
    given = (extract or {}).items()
    return tuple(name for name, one in given if isinstance(one, Extraction) and one.secret)


class RequestModel(Protocol):
    """What the compiler reads of every request, whatever its protocol.

    A model may have `expect` and `extract` besides, each as its protocol wants it.
    """

    @property
    def name(self) -> Text | None: ...
    @property
    def tags(self) -> Sequence[str] | Mapping[str, object] | None: ...
    @property
    def measure(self) -> object: ...
    def default_name(self, action: str) -> str:
        """Return the series name of a request without `name:`."""


class OperationModel(PlanMapping):
    """One operation: the base of the models of a protocol's steps."""

    name: SeriesName | None = Field(
        None,
        description="The series name. Default the action, and what it acts on as written.",
        examples=["read a key"],
    )
    tags: TagsField | None = Field(
        None, description="Tags that split the series.", examples=["[read]"]
    )
    timeout: Duration | None = Field(
        None, description="The time limit for the whole operation.", examples=["5s"]
    )
    measure: Flag | None = Field(
        None,
        description="False: it is sent, but does not count in the results.",
        examples=["false"],
    )

    def default_name(self, action: str) -> str:
        """Return the series name of an operation without `name:`."""
        return action
