"""Why tools measured differently, where the figures or the plan show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from planrunner.cross_check.differences import CPU, FAILED, RATE, Difference
from planrunner.cross_check.rounds import ToolRounds
from planrunner.graph.run_graph import Renewal, RunGraph
from planrunner.units import NS_PER_US, format_duration

__all__ = ["reasons"]

_BUSY: Final = 0.9
"""Of a processor, from where on a generator is its own limit."""


def reasons(
    own: ToolRounds, other: ToolRounds, found: Sequence[Difference], graph: RunGraph
) -> Iterator[str]:
    """Yield what is known to make two tools differ as they do, each a sentence without its stop."""
    if any(one.judged.is_rounding for one in found):
        step = format_duration(other.checked.tool.step_ns)
        yield f"{other.name} counts in steps of {step}, so that much is rounding"
    beyond = [one.figure for one in found if one.judged.is_beyond]
    has_times = any(figure.is_time for figure in beyond)
    if has_times or RATE in beyond:
        yield from _of_speed(own, other, graph)
    if has_times and any(phase.load.has_due_times for phase in graph.phases):
        yield (
            "planrunner's latency counts from when a request was due, that of "
            f"{other.name} from when it was sent"
        )
    if beyond and _opens_anew(graph):
        yield (
            "planrunner opens a connection for each arrival, as a new visitor does; users of "
            f"{other.name} may keep theirs"
        )
    if FAILED in beyond:
        yield f"planrunner judges replies by the plan's `expect`, {other.name} by its own rules"
    if beyond and other.checked.caveats:
        yield f"{other.name} does not send all of the plan as it stands there, as is said below"


def _of_speed(own: ToolRounds, other: ToolRounds, graph: RunGraph) -> Iterator[str]:
    yield from _limits(own, other)
    if _waits_for_replies(graph) and (costs := _costs(own, other)):
        yield (
            "the load is a closed loop: a user sends again when its reply has come, so a generator "
            f"that takes less time itself sends more; a request takes {costs}"
        )


def _limits(own: ToolRounds, other: ToolRounds) -> Iterator[str]:
    for one in (own, other):
        busy = [value for figures in one.rounds if (value := figures.processors) is not None]
        if busy and median(busy) >= _BUSY:
            used = f"{median(busy):.1f} processors" if median(busy) >= 1.5 else "a whole processor"
            yield (
                f"{one.name} kept {used} busy: it is at its own limit, and its latencies include "
                "waiting for itself"
            )


def _costs(own: ToolRounds, other: ToolRounds) -> str:
    """Return what a request costs each; empty if that explains nothing, or noise hides it."""
    rates = [median(RATE.of(one.rounds)) for one in (own, other)]
    costs = [CPU.of(one.rounds) for one in (own, other)]
    if not all(costs):
        return ""
    ours, theirs = map(median, costs)
    if min(ours, theirs) <= 0 or (ours < theirs) != (rates[0] > rates[1]):
        return ""
    said = [format_duration(round(one * NS_PER_US)) for one in (ours, theirs)]
    return f"{said[0]} of CPU in planrunner, and {said[1]} in {other.name}"


def _waits_for_replies(graph: RunGraph) -> bool:
    return all(
        not phase.load.has_due_times and phase.load.throttle is None for phase in graph.phases
    )


def _opens_anew(graph: RunGraph) -> bool:
    return any(
        program.renewal(phase.load) is Renewal.SESSION
        for phase in graph.phases
        for program in graph.programs_of(phase)
    )
