"""The labels that outputs which push give requests, and moments as databases have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from planrunner.metrics.series import Labels
from planrunner.outputs.totals import is_warmup, tag_labels
from planrunner.units import NS_PER_US

__all__ = ["LABELS", "LabelTexts", "SampleLabels", "ns_since_1970", "written"]

LABELS: Final = ("phase", "user", "task", "request", "status", "warmup")
"""Of every request, beside those of the run; tags come after them, where the plan asks for them."""

LabelTexts = tuple[str, ...]
"""In the order of `SampleLabels.names`; empty where a request has none."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def ns_since_1970(at: datetime) -> int:
    """Return a moment as databases have it, without the rounding of a float."""
    return (at - _EPOCH) // timedelta(microseconds=1) * NS_PER_US


def written(text: str) -> str:
    """Return a text without half surrogate pairs, which nothing can have that is sent."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class SampleLabels:
    """Says which labels an output gives a series; its other labels tell nothing apart.

    Args:
        tags: Of the plan, which become labels.
        mask: Takes secrets out of names.

    Attributes:
        names: Of the labels.
    """

    def __init__(self, tags: Sequence[str] = (), mask: Callable[[str], str] = str) -> None:
        self._tags = tuple(tags)
        self._mask = mask
        self.names = (*LABELS, *self._tags)

    def of(self, labels: Labels) -> LabelTexts:
        """Return the values."""
        tags = (self._mask(value) for _, value in tag_labels(labels, self._tags))
        texts = (
            labels.phase,
            labels.user,
            labels.task,
            self._mask(labels.request),
            labels.status_text,
            "true" if is_warmup(labels) else "false",
            *tags,
        )
        return tuple(map(written, texts))
