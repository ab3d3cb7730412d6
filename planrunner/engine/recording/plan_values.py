"""What a request records beside its times: its work, and values of the plan's own."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan
from typing import Final

from planrunner.graph.sending_steps import RecordedNode
from planrunner.language.expressions.plain import plain_number
from planrunner.language.expressions.values import EvaluationError, Scope, Undefined, kind_of
from planrunner.metrics.measures import WORK
from planrunner.metrics.recorded_values import MOST, to_millionths
from planrunner.metrics.series import Series
from planrunner.protocols.base import Reply

__all__ = ["RecordedValue", "keep_values", "recorded_values"]

RecordedValue = tuple[int, bool]
"""A value in millionths, and whether it was true or false."""

_WORK: Final = WORK.word


def recorded_values(
    records: Sequence[RecordedNode], reply: Reply, scope: Scope
) -> list[RecordedValue]:
    """Return the values that a request records, given its user's names after the reply.

    Args:
        records: What to record.
        reply: The reply; how often its sample did its work all counts.
        scope: The names.

    Raises:
        EvaluationError: One of them has none that can be recorded.
    """
    return [_recorded(one, reply, scope) for one in records]


def keep_values(
    series: Series, records: Sequence[RecordedNode], values: Sequence[RecordedValue], at_ns: int
) -> None:
    """Write what `recorded_values` returned into the series of the sample, which ended then."""
    for node, (value, is_boolean) in zip(records, values, strict=True):
        series.recorded[node.word].append(value, at_ns, is_boolean=is_boolean)


def _recorded(node: RecordedNode, reply: Reply, scope: Scope) -> RecordedValue:
    value = plain_number(node.value(reply, scope))
    times = reply.times if node.word == _WORK else 1
    if times > 1 and isinstance(value, int | float) and not isinstance(value, bool):
        value *= times
    kept = to_millionths(value)
    is_boolean = isinstance(value, bool)
    if kept is None or (node.word == _WORK and (is_boolean or kept < 0)):
        raise EvaluationError(_unfit(node, value))
    return kept, is_boolean


def _unfit(node: RecordedNode, value: object) -> str:
    what = f"`{node.written}`"
    if isinstance(value, Undefined):
        return f"`{node.word}` has no value: `{value.missing or node.written}` is missing"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value in (inf, -inf) or (isinstance(value, float) and isnan(value)):
            return f"`{node.word}` can't be infinite or NaN, as {what} is"
        limit = f"at most {MOST:,}" if abs(value) > MOST else "0 at least"
        return f"`{node.word}` must be {limit}, and {what} isn't"
    wanted = "a number" if node.word == _WORK else "a number, true or false"
    return f"`{node.word}` must be {wanted}, and {what} is {kind_of(value)}"
