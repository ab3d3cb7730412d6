"""What a plan may write about SQL: the `sql:` block and `sql.query`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping, exactly_one
from planrunner.language.fields.types import (
    Duration,
    PositiveInt,
    TextField,
    ValueField,
    VariableName,
)
from planrunner.protocols.json_replies.spec import JsonExpectation, rule_shape, shape
from planrunner.protocols.operation_model import OperationModel
from planrunner.protocols.sql.statement import first_line

__all__ = ["RowCount", "SqlExpect", "SqlExtraction", "SqlModel", "SqlPool", "SqlQuery"]

OneOrMoreStatuses: TypeAlias = Annotated[
    Annotated[TextField, Tag("<scalar>")]
    | Annotated[list[TextField], Field(min_length=1), Tag("<list>")],
    Discriminator(shape),
]

ISOLATIONS = Literal[
    "read uncommitted", "read committed", "repeatable read", "serializable", "snapshot"
]


class SqlPool(PlanMapping):
    """How many connections there are: for each user, or for all of them."""

    synonyms: ClassVar[Mapping[str, str]] = dict.fromkeys(("size", "max", "connections"), "shared")

    per_user: PositiveInt | None = Field(
        None,
        description="Connections of each user; more than one only where it sends statements side "
        "by side. Default 1.",
        examples=["1"],
    )
    shared: PositiveInt | None = Field(
        None,
        description="Connections that all users of a worker share; a statement waits for one, "
        "which is `pool_wait`.",
        examples=["10"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if len(data) > 1:
            yield Fault(
                Code.CONFLICTING_KEYS,
                "connections are each user's own or shared, not both",
                "keep one of the two",
                list(data)[1],
            )


class SqlModel(PlanMapping):
    """The databases, and how to connect to them."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("dsn", "uri", "connection", "database_url"), "url"),
        "isolation_level": "isolation",
    }

    url: TextField | None = Field(
        None,
        description="The database as SQLAlchemy writes it: `dialect+driver://user:password@host/"
        "name`. Without a driver, the asynchronous one is taken.",
        examples=["postgresql+asyncpg://me@localhost/shop", "sqlite:///${run.dir}/shop.db"],
    )
    databases: dict[str, TextField] | None = Field(
        None,
        min_length=1,
        description="Several databases by name; a statement says `database: NAME`, else the first "
        "is meant.",
        examples=["{orders: 'postgresql://me@db1/orders', stock: 'mysql://me@db2/stock'}"],
    )
    pool: SqlPool | None = Field(
        None, description="How many connections there are.", examples=["{shared: 10}"]
    )
    isolation: ISOLATIONS | None = Field(
        None,
        description="The isolation of transactions. Default the database's own.",
        examples=["repeatable read"],
    )
    timeout: Duration | None = Field(
        None,
        description="The time limit for one statement, connecting included. Default 30s.",
        examples=["5s"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        """Read an isolation as SQL spells it: `READ COMMITTED`, `READ_COMMITTED`."""
        if isinstance(data, dict) and isinstance(data.get("isolation"), str):
            return {**data, "isolation": data["isolation"].lower().replace("_", " ")}
        return data

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if "url" in data and "databases" in data:
            yield Fault(
                Code.CONFLICTING_KEYS,
                "`url` is the only database, and `databases` are several",
                "move the URL into `databases`, under a name",
                "databases",
            )


class RowCount(PlanMapping):
    """How many rows there must be; all parts of the rule must hold."""

    is_: ValueField | None = Field(None, alias="is", description="Exactly so many.", examples=["1"])
    min: ValueField | None = Field(None, description="The fewest.", examples=["1"])
    max: ValueField | None = Field(None, description="The most.", examples=["100"])

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if not data:
            yield Fault(
                Code.INVALID_VALUE, "an empty rule checks nothing", "write `{min: 1}`, or a number"
            )


RowCountField: TypeAlias = Annotated[
    Annotated[RowCount, Tag("<rule>")] | Annotated[ValueField, Tag("<literal>")],
    Discriminator(rule_shape),
]


class SqlExpect(PlanMapping):
    """Which results are acceptable; by default, any that is not an error."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("count", "row_count", "rowcount"), "rows"),
        **dict.fromkeys(("sqlstate", "code", "error", "errors"), "status"),
    }

    status: OneOrMoreStatuses | None = Field(
        None,
        description="The status, or a list of them: `OK`, an SQLSTATE, SQLite's name, or MySQL's "
        "number where it has no SQLSTATE; `23*` is all that begin so. Default `OK`.",
        examples=["[OK, 23505]", "SQLITE_CONSTRAINT_UNIQUE"],
    )
    rows: RowCountField | None = Field(
        None,
        description="How many rows were read, or changed.",
        examples=["1", "{min: 1, max: 10}"],
    )
    json_: dict[str, JsonExpectation] | None = Field(
        None,
        alias="json",
        min_length=1,
        description="JSONPath into the rows, a list of mappings, to the value or the rule that it "
        "must meet.",
        examples=["{'$[0].total': {min: 1}}"],
    )
    time: TextField | None = Field(
        None,
        description="The accepted latency.",
        examples=["< 50ms"],
        json_schema_extra={
            "pattern": r"^<=?\s*(\d.*|\$\{.*)$",
            "patternErrorMessage": "write a limit such as `< 50ms`",
        },
    )
    soft: bool | None = Field(
        None, description="True: a failure is only a warning.", examples=["true"]
    )


class SqlExtraction(PlanMapping):
    """Where in the rows a variable's value is."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "markdownDescription": "The column; its value in the first row is taken.",
    }

    column: str = Field(min_length=1, description="The name of the column.", examples=["id"])
    row: Literal["first", "last", "random", "all"] = Field(
        "first", description="Which row; `all` gives a list. Default first.", examples=["random"]
    )
    secret: bool = Field(
        default=False,
        description="Mask the value wherever it would appear from then on.",
        examples=["true"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"column": data} if isinstance(data, str) else data


class SqlQuery(OperationModel):
    """Send one statement, its values bound apart from its text."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "markdownDescription": "The statement.",
    }
    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("query", "sql", "text", "stmt"), "statement"),
        **dict.fromkeys(("args", "arguments", "parameters", "values", "bind", "binds"), "params"),
        **dict.fromkeys(("db", "on"), "database"),
        "autocommit": "commit",
    }

    statement: str | None = Field(
        None,
        min_length=1,
        description="The statement; `:name` is a value of `params`.",
        examples=["select id, amount from orders where customer = :customer"],
    )
    file: TextField | None = Field(
        None, description="The file with the statement.", examples=["queries/best.sql"]
    )
    params: dict[VariableName, ValueField] | None = Field(
        None,
        description="The values of the statement's `:names`, which the database gets apart from "
        "its text.",
        examples=["{customer: '${rand.int(1, 50)}'}"],
    )
    database: str | None = Field(
        None, description="With `databases`: which one. Default the first.", examples=["stock"]
    )
    expect: SqlExpect | None = Field(
        None, description="Which results are acceptable.", examples=["{rows: {min: 1}}"]
    )
    extract: dict[VariableName, SqlExtraction] | None = Field(
        None,
        description="Variables to take from the rows.",
        examples=["{best: {column: customer, row: first}}", "{ids: {column: id, row: all}}"],
    )
    fetch: Literal["all", "first", "none"] = Field(
        "all",
        description="Which rows are read: all of them, only the first, or none. With `first` and "
        "`none`, the rest of a large result stays in the database.",
        examples=["first"],
    )
    commit: bool = Field(
        default=True,
        description="False: what the statement changes is taken back as soon as it is done. In a "
        "`sql.transaction`, that commits or takes back everything.",
        examples=["false"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"statement": data} if isinstance(data, str) else data

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(cls, data, ("statement", "file"), "what to execute")
        yield from super().find_faults(data)

    def default_name(self, action: str) -> str:
        """Return `sql` and the first line of the statement as written, or its file."""
        del action
        text = self.statement if self.file is None else self.file.source
        return f"sql {first_line(text or '')}"
