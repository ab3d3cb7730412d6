"""What a plan may write under `search:`: how to look for the highest level that holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import AfterValidator, Field
from planrunner.language.fields.mapping import Fault, PlanMapping, error
from planrunner.language.fields.reading import ReadBy
from planrunner.language.fields.types import Count, Deferred, Duration
from planrunner.plan.models.load.level import (
    LevelField,
    LoadLevel,
    misfits,
    read_level,
    read_level_text,
)
from planrunner.plan.models.thresholds import Sentence
from planrunner.values import dataclass

__all__ = ["LevelStep", "SearchModel"]


@dataclass(frozen=True, slots=True)
class LevelStep:
    """How the level grows: by `plus`, or `times` the one before; the other one is None."""

    plus: LoadLevel | None = None
    times: float | Deferred | None = None


_FACTOR: Final = re.compile(r"x\s*([0-9]+(?:\.[0-9]+)?)")


def _read_step(data: object) -> LevelStep:
    if isinstance(data, str) and (found := _FACTOR.fullmatch(data)) and float(found[1]) > 1:
        return LevelStep(times=float(found[1]))
    if isinstance(data, str) and data.startswith("x") and "${" in data:
        return LevelStep(times=Deferred(read_level_text(data), "factor"))
    if isinstance(data, str) and data.startswith("${"):
        return LevelStep(plus=read_level_text(data))
    if isinstance(data, str) and data.startswith("+"):
        amount = data[1:].strip()
        return LevelStep(plus=read_level(int(amount) if amount.isdecimal() else amount))
    # YAML reads `+50` as the number 50.
    if isinstance(data, int) and not isinstance(data, bool) and data > 0:
        return LevelStep(plus=data)
    raise error(
        Fault(
            Code.INVALID_VALUE,
            f"`{data}` is not a step",
            "write an amount to add, `+50` or `+50/s`, or a factor over 1, `x1.5`",
        )
    )


StepField = Annotated[
    LevelStep,
    ReadBy(
        _read_step,
        {
            "type": ["integer", "string"],
            "minimum": 1,
            "pattern": r"^(x\s*[0-9.]+|\+.+)$|\$\{",
            "patternErrorMessage": "write `+50`, `+50/s` or `x1.5`",
        },
    ),
]


def _of_a_level(text: str) -> str:
    found = re.match(r"\s*max_sustainable\b", text)
    if found is not None:
        fault = Fault(
            Code.INVALID_VALUE,
            "`max_sustainable` is the result of a search, not of a level",
            "move it to `thresholds:`",
        )
        raise error(fault, offset=text.index("max_sustainable"), length=len("max_sustainable"))
    return text


class SearchModel(PlanMapping):
    """Raise the level step by step while the conditions hold, then narrow it down."""

    synonyms: ClassVar[Mapping[str, str]] = {"thresholds": "slo", "start": "from", "stop": "to"}

    vary: Literal["users", "rate"] = Field(
        description="What grows: users (closed model) or the arrival rate (open model).",
        examples=["rate"],
    )
    from_: LevelField = Field(alias="from", description="The first level.", examples=["20/s"])
    to: LevelField = Field(description="The last level to try.", examples=["5000/s"])
    step: StepField = Field(
        description="From one level to the next: an amount to add, or a factor.",
        examples=["x1.5", "+50/s"],
    )
    hold: Duration = Field(description="How long each level is kept.", examples=["60s"])
    settle: Duration | None = Field(
        None,
        description="The first part of each level, which is not judged. Default none.",
        examples=["15s"],
    )
    slo: list[Annotated[Sentence, AfterValidator(_of_a_level)]] = Field(
        min_length=1,
        description="A level holds while all of these are true.",
        examples=["[p95 < 500ms, error_rate < 1%]"],
    )
    refine: Count | None = Field(
        None,
        description="How many times to halve the gap between the last good and the first bad "
        "level. Default 0.",
        examples=["3"],
    )
    confirm: Count | None = Field(
        None,
        description="How many times the best level is run again. Default 0.",
        examples=["1"],
    )
    cooldown: Duration | None = Field(
        None, description="Pause between levels. Default none.", examples=["20s"]
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        vary = data.get("vary")
        for key in ("from", "to", "step"):
            yield from misfits(key, data.get(key), vary, f"vary: {vary}")
