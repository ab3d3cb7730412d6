"""The files of a run: raw samples while it lasts, reports when it has ended or later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, TextIO

from planrunner.errors import CannotRun, UsageError
from planrunner.graph.run_graph import RunGraph
from planrunner.report.formats.samples_csv import write_csv
from planrunner.report.formats.samples_jtl import write_jtl
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.directory import METRICS, SAMPLES, UNFINISHED
from planrunner.results.files.metrics_json import read_metrics, write_metrics
from planrunner.results.files.samples import SampleReader, SampleWriter, parse_keep
from planrunner.results.model import RunResult

__all__ = ["Produce", "open_samples", "report_files", "write_outputs"]

_OF_SAMPLES: Final = {"results.csv": "results.csv", "jtl": "results.jtl"}

Produce = Callable[[TextIO], object]


def open_samples(graph: RunGraph, directory: Path, started: datetime) -> SampleWriter | None:
    """Return where raw samples go; None when no report of the plan wants any."""
    keep = parse_keep(graph.report.samples)
    if keep is None or _OF_SAMPLES.keys().isdisjoint(graph.report.formats):
        return None
    return SampleWriter(
        directory / SAMPLES,
        started_unix_ns=int(started.timestamp() * 1e6) * 1000,
        keep=keep,
        seed=graph.seed,
    )


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
        if name in _OF_SAMPLES and not (directory / SAMPLES).exists():
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
    """Yield the file names of a format, each with what writes it; none for metrics.json."""
    if name in _OF_SAMPLES:
        yield _OF_SAMPLES[name], lambda out: _write_samples(name, result, directory, out)
    elif name == "report.html":
        yield name, partial(_write_html, result)
    elif name != METRICS:
        # Reports are imported by the runs that write them.
        from planrunner.report.formats.registry import REPORTS  # noqa: PLC0415

        for report in REPORTS.get(name, ()):
            yield report.file, partial(report.write, result)


def _write_html(result: RunResult, out: TextIO) -> None:
    from planrunner.report.charts.vega import javascript_bundle  # noqa: PLC0415 - as above
    from planrunner.report.formats.html import write_html  # noqa: PLC0415

    write_html(result, out, bundle=javascript_bundle())


def _write_samples(name: str, result: RunResult, directory: Path, out: TextIO) -> None:
    reader = SampleReader(directory / SAMPLES)
    if name == "jtl":
        write_jtl(reader, out, users=_users(result))
    else:
        write_csv(reader, out)


def _users(result: RunResult) -> dict[int, int]:
    """Return the users of each second of the run."""
    return {
        second: point.users
        for point in result.points
        for second in range(point.second - point.seconds, point.second)
    }
