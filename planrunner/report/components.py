"""What reports say of components: `median ± MAD`, and whether that is stable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planrunner.results.model import RunResult
from planrunner.results.record import CallFacts, ComponentFigures
from planrunner.timing.stability import Stability
from planrunner.units import format_count, format_duration, format_size

__all__ = [
    "CALL_NOTE",
    "call_words",
    "component_names",
    "component_rows",
    "middle_words",
    "noisy_first",
    "stability_words",
]

CALL_NOTE: Final = "empty call: what calling nothing takes in this way; it is part of the latencies"


def call_words(one: CallFacts) -> str:
    """Return how a component was called, in a line."""
    words = [
        f"called {one.how} (an empty call takes {format_duration(one.empty_ns)})",
        f"{format_count(one.calls, 'call')}",
    ]
    if one.collections is not None:
        words.append(format_count(one.collections, "garbage collection"))
    if one.cpu_ns is not None:
        words.append(f"{format_duration(one.cpu_ns)} of a processor each")
    if one.peak_rss is not None:
        words.append(f"{format_size(one.peak_rss)} of memory at most")
    return ", ".join(words)


def noisy_first(result: RunResult) -> list[ComponentFigures]:
    """Return the components, those first whose figures are not to be trusted."""
    return sorted(result.components, key=lambda one: one.stable)


def component_names(found: Sequence[ComponentFigures]) -> list[str]:
    """Return what each is called: with its phase where there are several of other names."""
    if len({one.phase for one in found}) < 2:
        return [one.name for one in found]
    return [one.name if one.name == one.phase else f"{one.phase}: {one.name}" for one in found]


def component_rows(result: RunResult) -> list[dict[str, object]]:
    """Return what a page shows of each component."""
    found = noisy_first(result)
    return [
        {
            "name": name,
            "samples": one.samples,
            "median_ns": one.median_ns,
            "middle": middle_words(one),
            "stable": one.stable,
            "stability": stability_words(one),
        }
        for one, name in zip(found, component_names(found), strict=True)
    ]


def middle_words(one: ComponentFigures) -> str:
    """Return `median ± MAD`."""
    return f"{format_duration(one.median_ns)} ± {format_duration(one.mad_ns)}"


def stability_words(one: ComponentFigures) -> str:
    """Return `stable`, or that it is noisy, what to do, and why."""
    return Stability(one.reasons, one.needed).words
