"""What a plan may write under `jsonl:`."""

from __future__ import annotations

from planrunner.language.fields.declared import Field
from planrunner.language.fields.types import TextField
from planrunner.plan.output_kinds.model import OutputModel

__all__ = ["JsonlModel"]


class JsonlModel(OutputModel):
    """Settings of the JSON Lines output."""

    file: TextField = Field(
        description="The file to append to; each line names its run.",
        examples=['"${run.dir}/seconds.jsonl"'],
    )
    samples: bool = Field(
        default=False,
        description="Whether each sample has a line, and not each second.",
        examples=["true"],
    )
