"""JSON Lines as an output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.plan.output_kinds.kind import OutputKind

__all__ = ["KIND"]


def _read_words(text: str) -> Mapping[str, object]:
    return {"file": text}


KIND: Final = OutputKind(
    name="jsonl",
    description="Append a JSON object to a file for each second, or for each sample.",
    example='{file: "${run.dir}/seconds.jsonl"}',
    model="planrunner.outputs.jsonl.spec:JsonlModel",
    make="planrunner.outputs.jsonl.output:JsonLinesOutput",
    read_words=_read_words,
    words_example="seconds.jsonl",
)
