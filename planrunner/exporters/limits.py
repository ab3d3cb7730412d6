"""Thresholds of a plan in the words of a tool; what it has no words for is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from planrunner.exporters.contract import ExportRequest
from planrunner.loss.ledger import Construct
from planrunner.metrics.thresholds import Threshold

__all__ = ["written_thresholds"]

_WrittenLimit = TypeVar("_WrittenLimit")


def written_thresholds(
    request: ExportRequest, write: Callable[[Threshold], _WrittenLimit | None], why: str
) -> Iterator[tuple[Threshold, _WrittenLimit, Construct]]:
    """Yield what a tool says for each threshold, and the construct that says it in the plan.

    Args:
        request: Its thresholds are judged, those of phases too.
        write: Returns what the tool says; None where it has no words.
        why: Of what is left out.
    """
    by_place = {one.place: one for one in request.graph.thresholds}
    for place, constructs in request.tree.thresholds():
        threshold = by_place.get(place)
        said = None if threshold is None else write(threshold)
        for one in constructs:
            one.translated()
            if said is None:
                one.left_out(why)
        if threshold is not None and said is not None:
            yield threshold, said, constructs[0]
