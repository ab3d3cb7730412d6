"""What a plan may write under `stages:`: a list of levels, or `2m:200, 5m:200, 2m:0`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import BeforeValidator, Field
from planrunner.language.fields.mapping import Fault, PlanMapping, error
from planrunner.language.fields.reading import AlsoWritten
from planrunner.language.fields.types import Count, Duration, RateField
from planrunner.late_pattern import late_pattern
from planrunner.plan.models.load.level import LevelField, misfits

__all__ = ["StageList", "StageModel", "expand_stages", "level_key", "mixed_stages"]


class StageModel(PlanMapping):
    """One stage: the level moves linearly from the one before it (0 at first) to its own."""

    synonyms: ClassVar[Mapping[str, str]] = {
        "target": "users",
        "vus": "users",
        "arrivalRate": "rate",
        "hold": "duration",
        "start": "from",
    }

    name: str | None = Field(
        None,
        min_length=1,
        description="Its name in results and thresholds. Default its number, from 1.",
        examples=["plateau"],
    )
    duration: Duration = Field(
        description="How long the level takes to get there; `0s` jumps.", examples=["2m"]
    )
    users: Count | None = Field(
        None, description="Users at the end of the stage (closed model).", examples=["100"]
    )
    rate: RateField | None = Field(
        None,
        description="Iterations started per unit of time at its end (open model).",
        examples=["200/s"],
    )

    from_: LevelField | None = Field(
        None,
        alias="from",
        description="The level that the stage begins at, with a jump; default the one before it.",
        examples=["50", "50/s"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        given = [key for key in data if key in ("users", "rate")]
        if len(given) == 2:
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"`{given[1]}` can't be combined with `{given[0]}`",
                "`users` is a closed model, `rate` an open one: keep one of them",
                given[1],
            )
        elif not given and not cls.has_unknown(data):
            yield Fault(
                Code.MISSING_KEY,
                "a stage needs a level to move to",
                "add `users: 10`, or `rate: 10/s`",
            )
        elif given:
            [key] = given
            yield from misfits("from", data.get("from"), key, f"{key}: {data[key]}")


# Commas and colons inside `${…}` belong to the expression.
_ENTRY: Final = late_pattern(r"(?:\$\{[^}]*\}|[^,])+")
_COMPACT: Final = late_pattern(
    r"\s*(?P<duration>(?:\$\{[^}]*\}|[^:])+?)\s*:\s*(?P<level>(?:\$\{[^}]*\}|[^:])+?)\s*"
)


def expand_stages(data: object) -> object:
    """Return the list that the compact text stands for; anything else as it is."""
    if not isinstance(data, str):
        return data
    stages = [_expand_entry(found[0], found.start()) for found in _ENTRY.finditer(data)]
    for fault in mixed_stages(stages):
        raise error(fault)
    return stages


def _expand_entry(text: str, offset: int) -> dict[str, object]:
    found = _COMPACT.fullmatch(text)
    if found is None:
        raise error(
            Fault(
                Code.INVALID_VALUE,
                f"`{text.strip()}` is not a stage",
                "write a duration, a colon and a level: `2m:200, 5m:200, 2m:0`",
            ),
            offset=offset + len(text) - len(text.lstrip()),
        )
    level = found["level"]
    if "/" in level and not level.startswith("${"):
        return {"duration": found["duration"], "rate": level}
    return {
        "duration": found["duration"],
        "users": int(level) if re.fullmatch(r"[0-9]{1,9}", level) else level,
    }


_COMPACT_SCHEMA: Final = {
    "type": "string",
    "pattern": r"^\s*[^:,]+:[^:,]+(,[^:,]+:[^:,]+)*\s*$",
    "patternErrorMessage": "write a duration, a colon and a level: `2m:200, 5m:200, 2m:0`",
}

StageList = Annotated[
    list[StageModel],
    Field(min_length=1),
    BeforeValidator(expand_stages),
    AlsoWritten(_COMPACT_SCHEMA),
]


def level_key(stages: object) -> str:
    """Return `users` or `rate`, whichever `stages`, as written, are levels of; else nothing."""
    if isinstance(stages, str):
        return "rate" if "/" in stages.split(",")[0] else "users"
    for stage in stages if isinstance(stages, list) else ():
        for key in stage if isinstance(stage, dict) else ():
            if key in ("users", "rate"):
                return str(key)
    return ""


def mixed_stages(stages: object) -> Iterator[Fault]:
    """Yield a fault for each stage whose level is of another kind than the first one's."""
    wanted = level_key(stages)
    other = "rate" if wanted == "users" else "users"
    for index, stage in enumerate(stages if isinstance(stages, list) else ()):
        if isinstance(stage, dict) and other in stage and wanted not in stage:
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"a stage with `{other}` can't be combined with one that has `{wanted}`",
                "`users` is a closed model, `rate` an open one: use one of them in all stages",
                other,
                ("stages", index),
            )
