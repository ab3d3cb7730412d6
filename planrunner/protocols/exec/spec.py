"""What a plan may write about a command: what stands below `exec`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import PlanMapping
from planrunner.language.fields.types import Duration, TextField, ValueField, VariableName

__all__ = ["ExecModel"]


class ExecModel(PlanMapping):
    """Run a command; a status other than 0 is a failure."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "markdownDescription": "The command to run.",
    }
    synonyms: ClassVar[Mapping[str, str]] = {
        "command": "run",
        "cmd": "run",
        "environment": "env",
    }

    run: TextField = Field(description="The command.", examples=["./make-token.sh"])
    env: dict[str, ValueField] | None = Field(
        None,
        description="Environment variables for it, over those of planrunner.",
        examples=["{LANG: C, TOKEN: '${token}'}"],
    )
    timeout: Duration | None = Field(
        None, description="How long it can run before it is killed. Default 30s.", examples=["10s"]
    )
    as_: VariableName | None = Field(
        None,
        alias="as",
        description="The variable that stores its output, without the final newline.",
        examples=["token"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"run": data} if isinstance(data, str) else data
