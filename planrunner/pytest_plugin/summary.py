"""What pytest prints below its tests: where runs are, and what components came to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Final

import pytest

from planrunner.metrics.thresholds.selector import quoted
from planrunner.pytest_plugin.component import SIZES, Component
from planrunner.pytest_plugin.notes import NotedRun
from planrunner.python.results.result import Result
from planrunner.report.matrices.rows import exponent_words, interval_words
from planrunner.results.model import RunResult
from planrunner.results.record import ScalingFit
from planrunner.timing.spread import Spread, spread_of
from planrunner.units import NS_PER_S, format_duration, format_rate

__all__ = ["write_components", "write_run"]

_COLORS: Final = {"pass": "green", "warn": "yellow"}
_HEADS: Final = (
    *("component", "size", "median ± MAD", "p95", "work rate", "grows as", "", "limit", "baseline"),
)
_GAP: Final = "  "


def write_run(terminal: pytest.TerminalReporter, run: NotedRun) -> None:
    """Print how a run ended, and where it is."""
    terminal.write(f"{run.verdict:<5}", **{_COLORS.get(run.verdict, "red"): True})
    terminal.line(f" {run.plan}: {_shown(run.directory)}")


def write_components(
    terminal: pytest.TerminalReporter,
    components: Sequence[Component],
    result: Result,
    baseline: RunResult | None,
) -> None:
    """Print a table of what was measured, and what else is to be known about it."""
    firsts = {one.name: number for number, one in reversed([*enumerate(components)])}
    ordered = sorted(components, key=lambda one: (firsts[one.name], SIZES[one.size]))
    grown = {fit.request: fit for fit in result.raw.scaling}
    rows = [_cells(one, baseline, grown.get(one.name)) for one in ordered]
    widths = [
        max(map(len, (head, *cells))) if any(cells) else 0
        for head, *cells in zip(_HEADS, *rows, strict=True)
    ]
    for row in (_HEADS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width)
        terminal.line(_GAP.join(cells).rstrip())
    noisy = [f"{one.phase}: {one.stability.words}" for one in ordered if one.reasons]
    for notice in (*result.notices, *noisy):
        terminal.line(f"- {notice}")
    terminal.line("")


def _cells(one: Component, baseline: RunResult | None, fit: ScalingFit | None) -> tuple[str, ...]:
    limits = ", ".join(_limits(one))
    before = _median_before(one, baseline)
    if one.failure:
        return (one.name, one.size, "raised", "", "", "", "failed", limits, before)
    spread = spread_of(one.samples_ns)
    return (
        one.name,
        one.size,
        f"{format_duration(spread.median)} ± {format_duration(spread.mad)}",
        format_duration(_p95(one)),
        _work_rate(one, spread),
        _growth(one, fit),
        "stable" if one.stability.is_stable else "noisy",
        limits,
        before,
    )


def _limits(one: Component) -> Iterator[str]:
    """Yield the thresholds of a component, broken ones marked."""
    for written in one.thresholds:
        text = written[0].removeprefix(f"{one.size}: ").replace(f" of {quoted(one.name)}", "")
        yield f"FAIL {text}" if written in one.broken else text


def _p95(one: Component) -> float:
    ordered = sorted(one.samples_ns)
    return ordered[ceil(len(ordered) * 0.95) - 1]


def _work_rate(one: Component, spread: Spread) -> str:
    """Return the work of a second in which calls take their median."""
    if not one.work or not spread.median:
        return ""
    rate = format_rate(one.work * NS_PER_S / spread.median)
    return f"{rate.removesuffix('/s')} {one.unit}/s" if one.unit else rate


def _growth(one: Component, fit: ScalingFit | None) -> str:
    """Return how the time of a component grows, beside the greatest size that it has."""
    if fit is None or SIZES[one.size] != fit.sizes[-1]:
        return ""
    interval = interval_words(fit)
    return f"{exponent_words(fit)} ({interval})" if interval else exponent_words(fit)


def _median_before(one: Component, baseline: RunResult | None) -> str:
    if baseline is None:
        return ""
    phase = one.phase if one.has_case else ""
    rows = (row for row in baseline.rows if row.by == "request" and row.phase == phase)
    median = next((row.latency_ns["p50"] for row in rows if row.name == one.name), None)
    return "–" if median is None else format_duration(median)


def _shown(directory: str) -> str:
    """Return a path as short as it can be from here."""
    relative = os.path.relpath(directory)
    return directory if relative.startswith("..") else relative
