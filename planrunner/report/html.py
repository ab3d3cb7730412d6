"""report.html: one file that opens offline, tells the verdict first and loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined

from planrunner.report.console import verdict_of
from planrunner.results.model import Row, RunResult
from planrunner.units import format_duration, format_size

__all__ = ["write_html"]

_PERCENTILES = ("min", "avg", "p50", "p90", "p95", "p99", "p99.9", "max")
_TITLES = {
    "phase": "Phases",
    "stage": "Stages",
    "request": "Requests",
    "user": "User classes",
    "task": "Tasks",
    "group": "Groups",
    "tag": "Tags",
    "iteration": "Iterations",
}


@dataclass(frozen=True, slots=True)
class _Section:
    by: str
    title: str
    rows: tuple[Row, ...]


def write_html(result: RunResult, out: TextIO) -> None:
    """Write the report of `result` to `out`; the same result gives the same bytes."""
    environment = Environment(
        loader=PackageLoader("planrunner.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = format_duration
    environment.filters["size"] = format_size
    template = environment.get_template("report.html")
    stream = template.stream(
        result=result,
        verdict=verdict_of(result),
        sections=_sections(result.rows),
        percentiles=_PERCENTILES,
    )
    stream.enable_buffering(64)
    out.writelines(stream)


def _sections(rows: Sequence[Row]) -> list[_Section]:
    """Return a table for each kind of row; rows of the whole run before those of a phase."""
    sections = []
    for by, title in _TITLES.items():
        chosen = tuple(row for row in rows if row.by == by)
        if chosen:
            ordered = sorted(chosen, key=lambda row: bool(row.phase))
            sections.append(_Section(by, title, tuple(ordered)))
    return sections
