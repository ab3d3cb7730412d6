"""InfluxDB as an output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.plan.output_kinds.kind import OutputKind

__all__ = ["KIND"]


def _read_words(text: str) -> Mapping[str, object]:
    return {"url": text}


KIND: Final = OutputKind(
    name="influxdb",
    description="Write points to InfluxDB: 1.x with a database, 2.x with a bucket.",
    example="{url: http://localhost:8086, database: k6}",
    model="planrunner.outputs.influxdb.spec:InfluxdbModel",
    make="planrunner.outputs.influxdb.output:make_output",
    read_words=_read_words,
    words_example="http://localhost:8086/k6",
)
