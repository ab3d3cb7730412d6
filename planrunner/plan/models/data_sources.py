"""What a plan may write under `data:`: rows, and how users share them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import Field

from planrunner.language.fields.mapping import Fault, PlanMapping, exactly_one
from planrunner.language.fields.types import ExprField, Flag, PositiveInt, TextField, ValueField

__all__ = ["DATA_KINDS", "DataModel", "GenerateModel"]

DATA_KINDS: Final = ("csv", "json", "jsonl", "list", "generate")


class GenerateModel(PlanMapping):
    """Rows that are made up; the plan's seed makes them the same every time."""

    rows: PositiveInt = Field(description="How many rows.", examples=["1000"])
    fields: dict[str, ExprField] = Field(
        min_length=1,
        description="The columns, each with the expression that gives its value.",
        examples=["{id: rand.uuid(), amount: 'rand.int(1, 100)'}"],
    )


class DataModel(PlanMapping):
    """Rows of test data; a column is read as `${name.column}`."""

    csv: TextField | None = Field(
        None,
        description="A CSV file; its first line names the columns.",
        examples=["data/users.csv"],
    )
    json_: TextField | None = Field(
        None,
        alias="json",
        description="A JSON file that holds a list.",
        examples=["data/users.json"],
    )
    jsonl: TextField | None = Field(
        None, description="A file with one JSON value a line.", examples=["data/users.jsonl"]
    )
    list_: list[ValueField] | None = Field(
        None,
        alias="list",
        min_length=1,
        description="The rows themselves: values, or mappings with columns.",
        examples=["[python, docker]"],
    )
    generate: GenerateModel | None = Field(
        None,
        description="Rows that are made up.",
        examples=["{rows: 100, fields: {id: rand.uuid()}}"],
    )
    per: Literal["user", "iteration"] = Field(
        "iteration",
        description="When a row is drawn: once as the user starts, or anew for each iteration.",
        examples=["user"],
    )
    order: Literal["sequential", "random", "shuffle"] = Field(
        "sequential",
        description="In file order, at random with repetition, or shuffled without.",
        examples=["shuffle"],
    )
    unique: Flag = Field(
        default=False,
        description="No two live users share a row; per iteration: each row once a run.",
        examples=["true"],
    )
    on_end: Literal["cycle", "stop_user", "stop_plan", "error"] = Field(
        "cycle", description="What happens when no row is left.", examples=["stop_user"]
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(cls, data, DATA_KINDS, "where the rows come from")
