"""What a plan may write under `otlp:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import Fault
from planrunner.language.fields.types import Duration, TextField
from planrunner.outputs.setting_faults import every_faults, url_faults
from planrunner.plan.output_kinds.model import OutputModel

__all__ = ["OtlpModel"]


class OtlpModel(OutputModel):
    """Settings of the output to OpenTelemetry."""

    endpoint: TextField = Field(
        description="Where the receiver is; over HTTP, `/v1/metrics` is added unless it is there.",
        examples=["http://localhost:4318"],
    )
    protocol: Literal["http/protobuf", "grpc"] = Field(
        "http/protobuf",
        description="How it is sent. Receivers usually listen for gRPC on port 4317.",
        examples=["grpc"],
    )
    headers: dict[str, TextField] | None = Field(
        None,
        description="Headers of every export.",
        examples=['{authorization: "Bearer ${token}"}'],
    )
    every: Duration | None = Field(
        None,
        description="Time between two exports, in whole seconds. Default 5s.",
        examples=["10s"],
    )

    buckets: list[Duration] | None = Field(
        None,
        description="Upper bounds of the histogram of durations. Default from 1ms to 30s in 14 "
        "steps.",
        examples=["[10ms, 50ms, 100ms, 500ms, 1s]"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from super().find_faults(data)
        yield from url_faults(data, "endpoint", "http://localhost:4318")
        yield from every_faults(data)
