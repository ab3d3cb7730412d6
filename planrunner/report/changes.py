"""What changed between two runs, as terminals and pages show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from planrunner.metrics.measures import OWN_PREFIX
from planrunner.report.distinct import shorten_each
from planrunner.report.own_metrics import amount_words
from planrunner.report.plain import plain
from planrunner.results.bootstrap import SHARES, WORK_RATE
from planrunner.results.changes import ChangeOutcome, Comparison, FigureChange
from planrunner.units import format_duration, format_percent, format_rate

__all__ = [
    "CHANGE_CLASSES",
    "cells_of",
    "figure_amount",
    "figure_interval",
    "left_words",
    "shown_changes",
    "shown_whole",
    "sorted_changes",
]

CHANGE_CLASSES: Final = {
    ChangeOutcome.BETTER: "pass",
    ChangeOutcome.SAME: "",
    ChangeOutcome.WORSE: "fail",
    ChangeOutcome.UNCLEAR: "soft",
    ChangeOutcome.NOT_JUDGED: "soft",
}
_ORDER: Final = (
    ChangeOutcome.WORSE,
    ChangeOutcome.BETTER,
    ChangeOutcome.UNCLEAR,
    ChangeOutcome.SAME,
    ChangeOutcome.NOT_JUDGED,
)
_FIGURES: Final = {
    "p99": "whole-run p99",
    "worst_p99": "worst-sec p99",
}
_LONGEST: Final = 60
_MOST_COMPONENTS: Final = 40


def shown_changes(comparison: Comparison) -> list[FigureChange]:
    """Return the changes of all requests together, and what is worse or better of each.

    Components have no figure together, so each has its median and work rate, unless they are too
    many to read.
    """
    changes, components = sorted_changes(comparison), _components(comparison)
    return [
        change
        for change in changes
        if change.outcome in (ChangeOutcome.WORSE, ChangeOutcome.BETTER)
        or not change.request
        or (change.request in components and change.figure in ("p50", "work_rate"))
    ]


def shown_whole(comparison: Comparison) -> list[FigureChange]:
    """Return what isn't judged, of all requests together and of the components that are shown."""
    components = _components(comparison)
    return [
        change for change in comparison.whole if not change.request or change.request in components
    ]


def _components(comparison: Comparison) -> frozenset[str]:
    """Return the components that are compared by samples; none where they are too many."""
    found = frozenset(change.request for change in comparison.changes if change.figure == "p50")
    return found if len(found) <= _MOST_COMPONENTS else frozenset()


def left_words(comparison: Comparison) -> str:
    """Say what `shown_changes` leaves out; empty for nothing."""
    shown = shown_changes(comparison)
    left = Counter(change.outcome for change in comparison.changes if change not in shown)
    return ", ".join(f"{left[outcome]} {outcome}" for outcome in _ORDER if left[outcome])


def sorted_changes(comparison: Comparison) -> list[FigureChange]:
    """Return all changes: all requests together first, then what is worse."""
    return sorted(
        comparison.changes,
        key=lambda change: (
            bool(change.request),
            _ORDER.index(change.outcome),
            -abs(change.change),
        ),
    )


def cells_of(changes: Sequence[FigureChange]) -> list[dict[str, object]]:
    """Return the texts of each row, its class, and `raw`, the change as a number."""
    names = shorten_each([plain(change.request) for change in changes], _LONGEST)
    return [_cells(change, name) for change, name in zip(changes, names, strict=True)]


def _cells(change: FigureChange, name: str) -> dict[str, object]:
    surely = change.low or change.high
    points = change.figure in SHARES
    return {
        "request": name or "all requests",
        "figure": _figure_words(change.figure),
        "before": figure_amount(change.figure, change.before),
        "after": figure_amount(change.figure, change.after),
        "change": _signed(change.change, points=points) if _is_known(change) else "–",
        "interval": f"{_signed(change.low, points=points).partition(' ')[0]} … "
        f"{_signed(change.high, points=points)}"
        if surely
        else "",
        "outcome": change.outcome.value,
        "class": CHANGE_CLASSES[change.outcome],
        "raw": change.change,
    }


def _figure_words(figure: str) -> str:
    if figure.startswith(OWN_PREFIX):
        return f"avg {figure}"
    return _FIGURES.get(figure) or figure.replace("_", " ")


def figure_amount(figure: str, value: float) -> str:
    """Return a figure with its unit."""
    match figure:
        case "throughput":
            return format_rate(value) if value else "–"
        case "work_rate":
            return format_rate(value)
        case _ if figure.startswith(OWN_PREFIX):
            return amount_words(value)
        case _ if figure in SHARES:
            return format_percent(value)
        case _:
            return format_duration(round(value * 1e9)) if value else "–"


def figure_interval(figure: str, low: float | None, high: float | None) -> str:
    """Return where a figure surely is; empty where that isn't known."""
    if low is None or high is None:
        return ""
    return f"{figure_amount(figure, low)} … {figure_amount(figure, high)}"


def _is_known(change: FigureChange) -> bool:
    """Whether both runs have it: some are too short, and what failed at once took no time."""
    is_known_at_0 = change.figure in SHARES or change.figure == WORK_RATE
    return is_known_at_0 or bool(change.before and change.after)


def _signed(change: float, *, points: bool) -> str:
    # Adding zero makes that of `-0.0` positive.
    if points:
        return f"{round(100 * change, 2) + 0.0:+.2f} points"
    return f"{round(100 * change, 1) + 0.0:+.1f} %"
