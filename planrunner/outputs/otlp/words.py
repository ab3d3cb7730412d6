"""What a receiver says of an export, in a few words."""

from __future__ import annotations

from typing import Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
)

__all__ = ["in_one_line", "words_of_refused"]

_MOST_WORDS: Final = 200


def words_of_refused(partial: ExportMetricsPartialSuccess) -> str:
    """Return what was refused of an export that arrived, and why; empty if nothing was."""
    if not partial.rejected_data_points:
        return ""
    return f"it refused {partial.rejected_data_points:,} points: {partial.error_message}"


def in_one_line(text: str) -> str:
    """Return the beginning of a text from somewhere; nothing if it is not one."""
    said = " ".join(text.split())[:_MOST_WORDS]
    return said if said.isprintable() else ""
