"""OpenTelemetry as an output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.plan.output_kinds.kind import OutputKind

__all__ = ["KIND"]


def _read_words(text: str) -> Mapping[str, object]:
    return {"endpoint": text}


KIND: Final = OutputKind(
    name="otlp",
    description="Export metrics to a collector of OpenTelemetry.",
    example="{endpoint: http://localhost:4318}",
    model="planrunner.outputs.otlp.spec:OtlpModel",
    make="planrunner.outputs.otlp.output:OtlpOutput",
    read_words=_read_words,
    words_example="http://localhost:4318",
    package="opentelemetry.exporter.otlp.proto.http",
)
