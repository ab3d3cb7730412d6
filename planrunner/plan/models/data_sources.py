"""What a plan may write under `data:`: rows, and how users share them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, NamedTuple

from planrunner.data.data_format import DataFormat
from planrunner.data.formats import DATA_FORMATS
from planrunner.data.writing.formats import FILE_FORMATS
from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import (
    Fault,
    PlanMapping,
    exactly_one,
    in_words,
    mapping_with,
)
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import (
    ExprField,
    Flag,
    NameField,
    PositiveInt,
    TextField,
    ValueField,
    choice,
)

__all__ = ["DataFile", "DataModel", "FileModel", "GenerateModel"]

_ROWS: Final = (*DATA_FORMATS, "list", "generate")
"""The keys that say where rows come from."""

_LAYOUT: Final = ("columns", "delimiter", "comment")
"""The keys that say how a file is laid out that can't say so itself."""


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
    _FileKeys = mapping_with(
        "_FileKeys",
        PlanMapping,
        {
            _file_field(each.key): (
                TextField | None,
                Field(None, alias=each.key, description=each.description, examples=[each.example]),
            )
            for each in DATA_FORMATS.values()
        },
    )


class DataModel(_FileKeys):
    """Rows of test data; a column is read as `${name.column}`."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("file", "filename", "path", "source"), "csv"),
        **dict.fromkeys(("fields", "fieldnames", "header", "variables"), "columns"),
        **dict.fromkeys(("separator", "sep"), "delimiter"),
        **dict.fromkeys(("comments", "comment_char"), "comment"),
        "values": "list",
    }

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
    columns: list[NameField] | None = Field(
        None,
        min_length=1,
        description="With `csv`: the names of the columns, for a file whose first line is a row.",
        examples=["[username, password]"],
    )
    delimiter: TextField | None = Field(
        None,
        description="With `csv`: the character between two values, or `tab`; by default a comma.",
        examples=['";"', "tab"],
    )
    comment: TextField | None = Field(
        None,
        description="With `csv`: lines that begin with this are skipped.",
        examples=['"#"'],
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
        rows = next((key for key in data if key in _ROWS), None)
        laid_out = [each.key for each in DATA_FORMATS.values() if each.laid_out]
        if rows is not None and not any(key in data for key in laid_out):
            for key in (key for key in _LAYOUT if key in data):
                message = f"`{key}` can't be combined with `{rows}`"
                yield Fault(
                    Code.CONFLICTING_KEYS, message, f"it belongs to {in_words(laid_out)}", key
                )


class FileModel(PlanMapping):
    """A file that is written before the load; steps read `${files.NAME.path}`."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("data", "source", "of"), "from"),
        **dict.fromkeys(("count", "records", "lines", "size"), "rows"),
        **dict.fromkeys(("type", "as", "kind"), "format"),
    }

    source: NameField = Field(
        alias="from",
        description="The data source whose rows are written, in their order.",
        examples=["orders"],
    )
    rows: PositiveInt | None = Field(
        None,
        description="How many rows; by default as many as the source has. Generated rows go on, "
        "others begin again.",
        examples=["100000", '"${rows}"'],
    )
    format: Annotated[Text, choice(*FILE_FORMATS)] | None = Field(
        None,
        description="`csv` (the default), `json` (an array), `jsonl` (a value per line), "
        "`parquet` or `avro`.",
        examples=["parquet", '"${format}"'],
    )
