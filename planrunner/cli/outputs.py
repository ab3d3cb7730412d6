"""The files of a run: raw samples while it lasts, reports when it has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TextIO

from planrunner.cli.interrupts import interrupted_by_sigterm
from planrunner.compiler.graph import RunGraph
from planrunner.errors import CannotRun, UsageError
from planrunner.report.html import write_html
from planrunner.results.atomic import atomic_text_file
from planrunner.results.metrics_json import write_metrics
from planrunner.results.model import RunResult
from planrunner.results.samples import SampleReader, SampleWriter, parse_keep
from planrunner.results.samples_csv import write_csv

__all__ = ["open_samples", "write_outputs"]

_SAMPLES = "samples.bin"


def open_samples(graph: RunGraph, directory: Path, started: datetime) -> SampleWriter | None:
    """Return where raw samples go; None when no report of the plan wants any."""
    keep = parse_keep(graph.report.samples)
    if keep is None or "results.csv" not in graph.report.formats:
        return None
    return SampleWriter(
        directory / _SAMPLES,
        started_unix_ns=int(started.timestamp() * 1e6) * 1000,
        keep=keep,
        seed=graph.seed,
    )


@interrupted_by_sigterm()
def write_outputs(
    graph: RunGraph, result: RunResult, directory: Path
) -> tuple[RunResult, list[Path]]:
    """Write the reports that the plan asks for, metrics.json first.

    A report that can't be written becomes a notice in those that can.

    Raises:
        CannotRun: metrics.json can't be written.
    """
    written: list[Path] = []
    for name in graph.report.formats:
        produce = _producer(name, result, directory)
        if produce is None:
            continue
        try:
            with atomic_text_file(directory / name) as out:
                produce(out)
        except (CannotRun, UsageError) as error:  # no room for it, or no sample was ever written
            result = replace(result, notices=(*result.notices, error.message))
        else:
            written.append(directory / name)
    write_metrics(result, directory / "metrics.json")
    return result, [directory / "metrics.json", *written]


def _producer(name: str, result: RunResult, directory: Path) -> Callable[[TextIO], object] | None:
    """Return what writes one report; None for metrics.json, which comes last."""
    match name:
        case "results.csv" if (directory / _SAMPLES).exists():
            return lambda out: write_csv(SampleReader(directory / _SAMPLES), out)
        case "report.html":
            return lambda out: write_html(result, out)
        case _:
            return None
