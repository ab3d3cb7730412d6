"""The files of a run: raw samples while it lasts, reports when it has ended or later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from planrunner.errors import CannotRun, UsageError
from planrunner.formats import METRICS_JSON, REPORT_FORMATS, FormatSource
from planrunner.graph.run_graph import RunGraph
from planrunner.report.formats.writers import Produce, produced_files
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.directory import METRICS, SAMPLES, UNFINISHED
from planrunner.results.files.metrics_json import read_metrics, write_metrics
from planrunner.results.files.samples import SampleWriter, parse_keep
from planrunner.results.model import RunResult
from planrunner.runner.interrupts import interrupted_by_sigterm

__all__ = ["open_samples", "report_files", "write_outputs"]


def open_samples(graph: RunGraph, directory: Path, started: datetime) -> SampleWriter | None:
    """Return where raw samples go; None when no report of the plan wants any."""
    keep = parse_keep(graph.report.samples)
    if keep is None or not any(map(_is_of_samples, graph.report.formats)):
        return None
    return SampleWriter(
        directory / SAMPLES,
        started_unix_ns=int(started.timestamp() * 1e6) * 1000,
        keep=keep,
        seed=graph.seed,
    )


@interrupted_by_sigterm()
def write_outputs(
    graph: RunGraph, result: RunResult, directory: Path
) -> tuple[RunResult, list[Path]]:
    """Write the reports that the plan asks for, metrics.json with them.

    A report that can't be written becomes a notice in those that can.

    Raises:
        CannotRun: metrics.json can't be written.
    """
    written: list[Path] = []
    # Before all others: whatever happens to them, the run is kept. Once more when one of them
    # has left a notice.
    write_metrics(result, directory / METRICS)
    result = read_metrics(directory / METRICS)  # so that `report` makes the same bytes later
    with suppress(OSError):
        (directory / UNFINISHED).unlink(missing_ok=True)
    notices = []
    for name in graph.report.formats:
        if name == METRICS_JSON or (_is_of_samples(name) and not (directory / SAMPLES).exists()):
            continue
        for file, produce in report_files(name, result, directory):
            try:
                with atomic_text_file(directory / file) as out:
                    produce(out)
            except (CannotRun, UsageError) as error:  # no room for it, or samples are broken
                notices.append(error.message)
            else:
                written.append(directory / file)
    if notices:
        result = replace(result, notices=(*result.notices, *notices))
        write_metrics(result, directory / METRICS)
    return result, [directory / METRICS, *written]


def report_files(name: str, result: RunResult, directory: Path) -> Iterator[tuple[str, Produce]]:
    """Yield the file names of a format, each with what writes it."""
    return produced_files(REPORT_FORMATS[name], result, directory / SAMPLES)


def _is_of_samples(name: str) -> bool:
    return REPORT_FORMATS[name].source is FormatSource.SAMPLES
