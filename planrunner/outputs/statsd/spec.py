"""What a plan may write under `statsd:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import Fault
from planrunner.language.fields.types import Duration, Flag, TextField
from planrunner.outputs.setting_faults import every_faults
from planrunner.plan.output_kinds.model import OutputModel

__all__ = ["StatsdModel"]


class StatsdModel(OutputModel):
    """Settings of the output to StatsD."""

    address: TextField = Field(
        description="Host and port of the server.", examples=["'localhost:8125'"]
    )
    prefix: TextField | None = Field(
        None, description="What names begin with. Default `perf_test`.", examples=["nightly"]
    )
    tags: Flag | None = Field(
        None,
        description="Whether labels are tags, as DogStatsD has them (default), or the request and "
        "its status a part of each name.",
        examples=["false"],
    )
    every: Duration | None = Field(
        None,
        description="How much of the run is in a gauge, in whole seconds. Default 1s.",
        examples=["10s"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from super().find_faults(data)
        yield from every_faults(data)
