"""What a plan may write under `data:`: rows, and how users share them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from pydantic import Field, create_model

from planrunner.data.data_format import DataFormat
from planrunner.data.formats import DATA_FORMATS
from planrunner.language.fields.mapping import Fault, PlanMapping, exactly_one
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import ExprField, Flag, PositiveInt, TextField, ValueField

__all__ = ["DataFile", "DataModel", "GenerateModel"]

_ROWS: Final = (*DATA_FORMATS, "list", "generate")
"""The keys that say where rows come from."""


class DataFile(NamedTuple):
    """A file with rows.

    Attributes:
        name: As the plan writes it.
    """

    format: DataFormat
    name: Text


class GenerateModel(PlanMapping):
    """Generated rows; the same seed gives the same rows."""

    rows: PositiveInt = Field(description="How many rows.", examples=["1000"])
    fields: dict[str, ExprField] = Field(
        min_length=1,
        description="The columns, each with the expression that gives its value.",
        examples=["{id: rand.uuid(), amount: 'rand.int(1, 100)'}"],
    )


def _file_field(key: str) -> str:
    """Return the attribute of a file's key; the key itself may be one of pydantic's, as `json`."""
    return f"{key}_file"


if TYPE_CHECKING:
    _FileKeys = PlanMapping
else:
    _FileKeys = create_model(
        "_FileKeys",
        __base__=PlanMapping,
        **{
            _file_field(each.key): (
                TextField | None,
                Field(None, alias=each.key, description=each.description, examples=[each.example]),
            )
            for each in DATA_FORMATS.values()
        },
    )


class DataModel(_FileKeys):
    """Rows of test data; a column is read as `${name.column}`."""

    list_: list[ValueField] | None = Field(
        None,
        alias="list",
        min_length=1,
        description="The rows themselves: values, or mappings with columns.",
        examples=["[python, docker]"],
    )
    generate: GenerateModel | None = Field(
        None,
        description="Generated rows.",
        examples=["{rows: 100, fields: {id: rand.uuid()}}"],
    )
    per: Literal["user", "iteration"] = Field(
        "iteration",
        description="When a row is drawn: once as the user starts, or for each iteration.",
        examples=["user"],
    )
    order: Literal["sequential", "random", "shuffle"] = Field(
        "sequential",
        description="In file order, at random with repetition, or shuffled without.",
        examples=["shuffle"],
    )
    unique: Flag = Field(
        default=False,
        description="No two live users share a row; per iteration, a run uses each row once.",
        examples=["true"],
    )
    on_end: Literal["cycle", "stop_user", "stop_plan", "error"] = Field(
        "cycle", description="What happens when no row is left.", examples=["stop_user"]
    )

    secret: bool | list[str] | None = Field(
        None,
        description="Columns whose values are masked wherever they would appear; true means all.",
        examples=["[password]", "true"],
    )

    @property
    def file(self) -> DataFile | None:
        """The file that the rows come from, if they do."""
        names = ((each, getattr(self, _file_field(key))) for key, each in DATA_FORMATS.items())
        return next((DataFile(*found) for found in names if found[1] is not None), None)

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(cls, data, _ROWS, "where the rows come from")
