"""What users share: `pools:` at the first level, and the steps `push`, `pop` and `barrier`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, cast

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.builtins.names import pool_in
from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import Fault, PlanMapping, error, value_of
from planrunner.language.fields.reading import ReadBy, reader_of
from planrunner.language.fields.types import Deferred, Duration, NameField, PositiveInt, ValueField
from planrunner.plan.models.actions import check_name
from planrunner.values import dataclass

__all__ = ["BarrierModel", "Pop", "PopField", "ValuePoolModel", "Which"]

Which = Literal["first", "last", "random"]

_WHICH: Final = ("first", "last", "random")


class ValuePoolModel(PlanMapping):
    """A list that users share."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "null",
        "markdownDescription": "A pool with the defaults.",
    }

    synonyms: ClassVar[Mapping[str, str]] = {
        "list": "values",
        "items": "values",
        "initial": "values",
        "limit": "max",
        "size": "max",
        "scope": "shared",
    }

    shared: Literal["worker", "run"] = Field(
        "worker",
        description="Who shares it: the users of a worker, or those of the whole run. With one "
        "worker both are the same.",
        examples=["run"],
    )
    values: list[ValueField] | None = Field(
        None,
        description="What is in it before the load; params may be read.",
        examples=["[a-1, a-2]"],
    )
    max: PositiveInt = Field(
        10_000,
        description="The most elements that it holds, on each worker or in the run; what is "
        "pushed to a full pool is dropped and counted.",
        examples=["100000"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {} if data is None else data


@dataclass(frozen=True, slots=True)
class Pop:
    """Take an element out of a list.

    Attributes:
        source: The list's name, or `pool.NAME`.
        target: The name that gets the element; empty when nothing does.
        wait: How long to wait for one, in ns; None when the step doesn't say.
    """

    source: str
    which: Which
    target: str
    wait: int | Deferred | None = None


def _read_pop(data: object) -> Pop:
    if isinstance(data, dict):
        names = [key for key in data if key not in ("as", "wait") or data[key] in _WHICH]
        names = [key for key in names if key != "as"]
        if len(names) == 1 and data[names[0]] in _WHICH:
            return _pop_of(data, names[0])
    raise error(
        Fault(
            Code.INVALID_VALUE,
            "`pop` needs one list and the element to take",
            "write `pop: {keys: random, as: key}`, with `first`, `last` or `random`",
        )
    )


def _pop_of(data: Mapping[str, Any], source: str) -> Pop:
    if "as" in data:
        check_name(data["as"], "as")
    wait: int | Deferred | None = None
    if "wait" in data and source != "wait":
        wait = _read_wait(data["wait"])
        if not pool_in(source):
            raise error(
                Fault(
                    Code.NOT_ALLOWED,
                    f"no other user can add to `{source}`, so there is nothing to wait for",
                    "take `wait` away, or share the list: `pools: {…}` and `pool.NAME`",
                    "wait",
                )
            )
    return Pop(source, cast("Which", data[source]), data.get("as", ""), wait)


def _read_wait(data: object) -> int | Deferred:
    return cast("int | Deferred", value_of(Duration, data, ("wait",)))


PopField = Annotated[
    Pop,
    ReadBy(
        _read_pop,
        {
            "type": "object",
            "title": "pop",
            "properties": {
                "as": {
                    "type": "string",
                    "markdownDescription": "The variable that stores the element.",
                },
                "wait": {
                    "type": "string",
                    "markdownDescription": "Of a pool: how long to wait for an element while it "
                    "is empty. Default not at all.",
                },
            },
            "additionalProperties": {"enum": list(_WHICH)},
        },
    ),
]


def _read_users(data: object) -> int | Deferred | Literal["all"]:
    if data == "all":
        return "all"
    return cast("int | Deferred", reader_of(PositiveInt)(data))


class BarrierModel(PlanMapping):
    """A point at which users wait for each other."""

    synonyms: ClassVar[Mapping[str, str]] = {
        "count": "users",
        "size": "users",
        "number": "users",
        "group": "name",
        "max_wait": "timeout",
        "wait": "timeout",
    }

    name: NameField = Field(
        description="Steps with the same name are the same barrier.", examples=["sale"]
    )
    users: Annotated[
        int | Deferred | Literal["all"],
        ReadBy(
            _read_users,
            {
                "anyOf": [
                    {"type": "integer", "minimum": 1},
                    {"enum": ["all"]},
                    {
                        "type": "string",
                        "pattern": r"\$\{",
                        "patternErrorMessage": "Write a number, `all`, or an expression: ${users}",
                    },
                ]
            },
        ),
    ] = Field(
        description="How many users it lets through together: a number, or `all` that the phase "
        "has at the moment of the classes with this barrier.",
        examples=["10", "all"],
    )
    timeout: Duration | None = Field(
        None,
        description="How long a user waits before the step fails. Default 30s.",
        examples=["1m"],
    )
