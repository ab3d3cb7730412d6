"""What a plan may write about a function: what stands below `python`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import PlanMapping
from planrunner.language.fields.types import Duration, Flag, PositiveInt, ValueField, VariableName

__all__ = ["PythonModel"]


def _shape(value: object) -> str:
    return "<word>" if value == "auto" else "<number>"


BatchField: TypeAlias = Annotated[
    Annotated[Literal["auto"], Tag("<word>")] | Annotated[PositiveInt, Tag("<number>")],
    Discriminator(_shape),
]


class PythonModel(PlanMapping):
    """Call a function: of the `hooks:` file, or of a module."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "markdownDescription": "The function: a name in the `hooks:` file, or `module:function`.",
    }
    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("function", "func", "fn", "run"), "call"),
        **dict.fromkeys(("arguments", "kwargs", "params", "with"), "args"),
        "save": "as",
    }

    call: str = Field(
        min_length=1,
        description="The function: a name in the `hooks:` file, or `package.module:function` of "
        "the plan's folder or an installed package.",
        examples=["sign", "components:ingest"],
    )
    args: dict[str, ValueField] | None = Field(
        None, description="Its keyword arguments.", examples=["{path: '${path}'}"]
    )
    as_: VariableName | None = Field(
        None,
        alias="as",
        description="The variable that stores what it returns.",
        examples=["signature"],
    )
    inline: Flag | None = Field(
        None,
        description="True: a plain function is called in the event loop, where everything else "
        "waits for it, and not in a thread.",
        examples=["true"],
    )
    isolate: Literal["process"] | None = Field(
        None,
        description="`process`: each user has a process of its own, in which the function is "
        "called; `cpu` and `peak_rss` are measures then.",
        examples=["process"],
    )
    batch: BatchField | None = Field(
        None,
        description="How many calls make a sample, whose latency is the time per call; `auto`: as "
        "many as make 1 ms. For what takes less than that.",
        examples=["auto", "1000"],
    )
    timeout: Duration | None = Field(
        None,
        description="How long a call can take. A thread can't be stopped: what it does after that "
        "is not waited for. Default 10m.",
        examples=["30s"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"call": data} if isinstance(data, str) else data
