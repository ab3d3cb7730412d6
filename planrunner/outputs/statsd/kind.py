"""StatsD as an output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.plan.output_kinds.kind import OutputKind

__all__ = ["KIND"]


def _read_words(text: str) -> Mapping[str, object]:
    return {"address": text}


KIND: Final = OutputKind(
    name="statsd",
    description="Send counters and gauges to StatsD over UDP, with the tags of DogStatsD.",
    example="{address: 'localhost:8125'}",
    model="planrunner.outputs.statsd.spec:StatsdModel",
    make="planrunner.outputs.statsd.output:StatsdOutput",
    read_words=_read_words,
    words_example="localhost:8125",
)
