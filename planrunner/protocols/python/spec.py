"""What a plan may write about a function: what stands below `python`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from planrunner.language.fields.mapping import PlanMapping
from planrunner.language.fields.types import Duration, Flag, ValueField, VariableName

__all__ = ["PythonModel"]


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
    timeout: Duration | None = Field(
        None,
        description="How long a call can take. A thread can't be stopped: what it does after that "
        "is not waited for. Default 10m.",
        examples=["30s"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"call": data} if isinstance(data, str) else data
