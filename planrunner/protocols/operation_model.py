"""The base of what a plan writes below `name.action`: the keys that every protocol's steps have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, Protocol, TypeAlias

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import (
    Duration,
    ExprField,
    Flag,
    MetricName,
    SeriesName,
    TextField,
    ValueField,
    VariableName,
)

__all__ = [
    "Extraction",
    "Extractions",
    "OperationModel",
    "RecordField",
    "RequestModel",
    "TagsField",
    "UnitField",
    "WorkField",
    "recording_faults",
    "secret_extractions",
]

RecordField: TypeAlias = Annotated[
    dict[MetricName, ExprField] | None,
    Field(
        min_length=1,
        description="Metrics of your own: a number, or true or false, for each successful sample. "
        "Thresholds call them `metric.NAME`; whatever else an expression gives is a failure "
        "`extract`.",
        examples=["{tokens: json.usage.total_tokens, hit: json.cached}"],
    ),
]
WorkField: TypeAlias = Annotated[
    ExprField | None,
    Field(
        description="How much the sample did: a number from 0, such as rows, bytes or tokens. "
        "Thresholds have `work_rate` and `sum work`.",
        examples=["json.rows"],
    ),
]
UnitField: TypeAlias = Annotated[
    TextField | None,
    Field(description="With `work`: what is counted.", examples=["rows"]),
]


def recording_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong between the keys that say what a sample records."""
    if "unit" in data and "work" not in data:
        yield Fault(
            Code.MISSING_KEY,
            "`unit` needs `work`",
            "add `work:`, such as `work: json.rows`",
            "unit",
        )


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
    @property
    def model_fields_set(self) -> AbstractSet[str]: ...
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
    record: RecordField = None
    work: WorkField = None
    unit: UnitField = None

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from recording_faults(data)
        yield from super().find_faults(data)

    def default_name(self, action: str) -> str:
        """Return the series name of an operation without `name:`."""
        return action

    def note_connection(self, opener: Any) -> None:  # noqa: ANN401 - a model of its protocol
        """Note what opens the connection that it is about: its name may say where that leads."""
