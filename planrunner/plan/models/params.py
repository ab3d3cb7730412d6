"""What a plan may write under `params:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import Fault, PlanMapping

__all__ = ["ParamModel", "ParamType"]

ParamType = Literal[
    "int", "float", "bool", "str", "url", "duration", "size", "rate", "percent", "list"
]

_ORDERED: frozenset[str] = frozenset({"int", "float", "duration", "size", "rate", "percent"})


class ParamModel(PlanMapping):
    """A value that the command line, an environment or an environment variable can set."""

    # Values stay as written here: only the loader knows where the one that counts comes from.

    nullable: ClassVar[frozenset[str]] = frozenset({"default"})

    type: ParamType = Field(
        description="What the value is; every value is checked against it.",
        examples=["duration"],
    )
    default: Any = Field(
        None,
        description="The value when nothing else sets one; `${…}` reads the params above. "
        "Without `default` the param is required; `null` makes it optional.",
        examples=["30s"],
    )
    env: str | None = Field(
        None,
        min_length=1,
        description="The environment variable that sets it; `--set` and `--env` take precedence.",
        examples=["BASE_URL"],
    )
    choices: list[Any] | None = Field(
        None, min_length=1, description="The allowed values.", examples=["[small, large]"]
    )
    min: Any = Field(None, description="The smallest allowed value.", examples=["1s"])
    max: Any = Field(None, description="The largest allowed value.", examples=["1h"])
    secret: bool = Field(
        default=False,
        description="Mask the value wherever it would appear: console, files, errors, reports.",
        examples=["true"],
    )
    help: str | None = Field(
        None, description="What it is for, in a few words.", examples=["length of each phase"]
    )

    @property
    def is_required(self) -> bool:
        return "default" not in self.model_fields_set

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        kind = data.get("type")
        if not isinstance(kind, str) or kind in _ORDERED:
            return
        for key in ("min", "max"):
            if key in data:
                yield Fault(
                    Code.CONFLICTING_KEYS,
                    f"`{key}` can't be combined with type `{kind}`",
                    "list what is allowed under `choices`" if kind != "bool" else "",
                    key,
                )
